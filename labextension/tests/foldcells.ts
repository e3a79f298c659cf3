/**
 * The fold of `cells.ts` as a filter, so that another implementation can be held against it: each line of standard
 * input is a journal as a JSON array, each line of standard output its cells in nbformat.
 */
import { createInterface } from 'node:readline';
import { foldCells, sourceOf, type ICell } from '../src/cells';
import type { AnyEvent } from '../src/events';
import { hash } from '../src/metadata';

function asNbformat(run: string, cell: ICell): object {
  const { id, step, kind, seq, own, count, outputs } = cell;
  const code = kind === 'code';
  return {
    id,
    cell_type: code ? 'code' : 'markdown',
    source: sourceOf(cell),
    metadata: { datarus: { run, step, kind, seq, sha256: hash(own) } },
    ...(code ? { execution_count: count, outputs } : {})
  };
}

createInterface({ input: process.stdin }).on('line', line => {
  const events = JSON.parse(line) as AnyEvent[];
  const { run, cells } = foldCells(events);
  console.log(JSON.stringify(cells.map(cell => asNbformat(run, cell))));
});
