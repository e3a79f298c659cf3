import type { Menu } from '@lumino/widgets';

/** Open a menu below a button; it is gone once it has closed. */
export function openBelow(menu: Menu, button: HTMLElement): void {
  const { left, bottom } = button.getBoundingClientRect();
  menu.open(left, bottom);
  // The command of the chosen line runs after it has closed.
  menu.aboutToClose.connect(() => void setTimeout(() => menu.dispose()));
}
