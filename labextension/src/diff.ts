/** The difference of two sources, in Lab's editor. Loaded when the first one is shown. */
import { unifiedMergeView } from '@codemirror/merge';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { jupyterTheme } from '@jupyterlab/codemirror';

/** Draw `after` with what it adds to and takes from `before`; it cannot be edited. */
export function showDiff(
  parent: HTMLElement,
  before: string,
  after: string,
  language: Extension
): EditorView {
  return new EditorView({
    parent,
    state: EditorState.create({
      doc: after,
      extensions: [
        jupyterTheme,
        language,
        EditorView.lineWrapping,
        EditorView.editable.of(false),
        EditorState.readOnly.of(true),
        EditorView.contentAttributes.of({ 'aria-label': 'New version of the cell', tabindex: '0' }),
        unifiedMergeView({ original: before, mergeControls: false })
      ]
    })
  });
}
