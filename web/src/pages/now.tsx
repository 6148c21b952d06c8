// The first page: the hosts and their charts.

export { default } from './hosts.tsx';
