-- What is blocked, in the order in which a board shows it. A claim and its end pay nothing for it: such an item is in
-- no row of it.
CREATE INDEX work_items_blocked ON work_items (project_id, priority, number) WHERE status = 'todo' AND open_blockers > 0;
