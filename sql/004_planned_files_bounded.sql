-- A claim adds its files to the plan, so that no single input shows how long the plan becomes. One that has become
-- longer than it may be is cut, for a claim could not write it again, and whoever asked for the next item would get none.
UPDATE work_items SET version = version + 1, files_planned = (
    SELECT jsonb_agg(file ORDER BY place) FROM jsonb_array_elements(files_planned) WITH ORDINALITY AS planned (file, place)
    WHERE place <= 1000)
WHERE jsonb_array_length(files_planned) > 1000;

CREATE DOMAIN planned_files AS json_list CONSTRAINT work_items_plan_bounded CHECK (jsonb_array_length(VALUE) <= 1000);
ALTER TABLE work_items ALTER COLUMN files_planned TYPE planned_files;
