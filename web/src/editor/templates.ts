// Scripts to start from. A test checks that the checker accepts each.

import httpCheck from './templates/http-check.go.txt?raw';
import logCounter from './templates/log-counter.go.txt?raw';
import manyValues from './templates/many-values.go.txt?raw';
import oneValue from './templates/one-value.go.txt?raw';
import procFile from './templates/proc-file.go.txt?raw';
import program from './templates/program.go.txt?raw';
import rate from './templates/rate.go.txt?raw';

export interface Template {
  id: string;
  title: string;
  about: string;
  source: string;
}

export const templates: readonly Template[] = [
  { id: 'one-value', title: 'One value', about: 'A number under the inspector’s own name.', source: oneValue },
  { id: 'many-values', title: 'Many values', about: 'Several numbers, each with labels.', source: manyValues },
  { id: 'rate', title: 'Rate from counters', about: 'What only grows; charts show how fast.', source: rate },
  { id: 'proc-file', title: 'Parse a /proc file', about: 'Lines and words of a file of the kernel.', source: procFile },
  { id: 'http-check', title: 'HTTP check', about: 'Whether a page answers, and how fast.', source: httpCheck },
  { id: 'log-counter', title: 'Log counter', about: 'Counts lines, and remembers where it was.', source: logCounter },
  { id: 'program', title: 'Program’s output', about: 'What a program says that the host allows.', source: program },
];
