/** The screens of a project, in the order of the tabs. */
export const screens = [
  { id: '/p/[project]', label: 'Board', keys: 'g b' },
  { id: '/p/[project]/list', label: 'List', keys: 'g l' },
  { id: '/p/[project]/graph', label: 'Graph', keys: 'g g' },
  { id: '/p/[project]/agents', label: 'Agents', keys: 'g a' },
  { id: '/p/[project]/conflicts', label: 'Conflicts', keys: 'g c' },
  { id: '/p/[project]/activity', label: 'Activity', keys: 'g v' },
] as const;
