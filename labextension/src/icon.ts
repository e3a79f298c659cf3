import { LabIcon } from '@jupyterlab/ui-components';

/** A cell's brackets around rising bars. */
export const datarusIcon = new LabIcon({
  name: 'datarus-jupyter:datarus',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M2 3h5v2H4v14h3v2H2zM22 3h-5v2h3v14h-3v2h5z"/>
    <path d="M7 13h2.500v4H7zM10.750 10h2.500v7h-2.500zM14.500 7H17v10h-2.500z"/>
  </g>
</svg>`
});
