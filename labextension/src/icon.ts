import { LabIcon } from '@jupyterlab/ui-components';

/** Three cells and the line that leads through them. */
export const datarusIcon = new LabIcon({
  name: 'datarus-jupyter:datarus',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M5 3a2 2 0 0 1 1 3.7v2.6a2 2 0 0 1 0 3.4v2.6A2 2 0 1 1 4 15.3v-2.6a2 2 0 0 1 0-3.4V6.700A2 2 0 0 1 5 3z"/>
    <path d="M10 4h11v2.500H10zM10 9.700h11v2.500H10zM10 15.500h7V18h-7z"/>
  </g>
</svg>`
});
