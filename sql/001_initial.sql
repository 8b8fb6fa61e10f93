-- Switchyard's schema. Plain SQL, forward only; every invariant that one row can hold is a named CHECK.
-- Works on PostgreSQL 15 and later: ids come from the hub (UUIDv7, so that inserts stay together).

CREATE TABLE projects (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(100) NOT NULL CONSTRAINT projects_name_unique UNIQUE,
    description TEXT,
    conflict_policy TEXT NOT NULL DEFAULT 'warn',
    -- The row of a project is the lock that orders its log: every change takes it first, and raises last_seq by
    -- the events it appends. A bigserial would let a reader skip rows that commit late.
    last_seq BIGINT NOT NULL DEFAULT 0,
    next_number INTEGER NOT NULL DEFAULT 1,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(),
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(),
    version INTEGER NOT NULL DEFAULT 1,
    CONSTRAINT projects_policy_known CHECK (conflict_policy IN ('warn', 'deny'))
) WITH (fillfactor = 50);

CREATE TABLE work_items (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id UUID NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    parent_item_id UUID REFERENCES work_items(id) ON DELETE SET NULL,
    number INTEGER NOT NULL,

    -- Content
    title TEXT NOT NULL,
    description TEXT,
    task_type VARCHAR(50),

    -- State
    status VARCHAR(50) NOT NULL DEFAULT 'todo',
    priority INTEGER NOT NULL DEFAULT 5,
    -- Dependencies not yet done plus open children, so that "ready" is a plain indexed predicate.
    open_blockers INTEGER NOT NULL DEFAULT 0,
    retry_at TIMESTAMP WITH TIME ZONE,
    -- Cancelled under a claim whose holder has not yet confirmed that it stopped.
    stopping BOOLEAN NOT NULL DEFAULT false,

    -- Assignment. (session_id, id, attempt) is the fencing token.
    assigned_agent_id VARCHAR(255),
    assigned_at TIMESTAMP WITH TIME ZONE,
    session_id UUID,
    attempt INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL DEFAULT 1,
    failure_count INTEGER NOT NULL DEFAULT 0,
    lost_count INTEGER NOT NULL DEFAULT 0,
    -- A lease of the claim's own (HTTP, MCP); it is never longer than the session's, where that has one.
    lease_seconds DOUBLE PRECISION,
    lease_expires_at TIMESTAMP WITH TIME ZONE,

    -- Tracking
    progress DOUBLE PRECISION,
    progress_note TEXT,
    -- As it was written, for reading; work_item_dependencies has the same for joins, and the foreign keys.
    dependencies JSONB NOT NULL DEFAULT '[]',
    files_planned JSONB NOT NULL DEFAULT '[]',
    files_modified JSONB NOT NULL DEFAULT '[]',
    -- What the folders and globs among the files mean: {path: {prefix, suffix, regex}}; regex null is a folder.
    file_patterns JSONB NOT NULL DEFAULT '{}',
    conflict_policy TEXT,
    estimated_hours DOUBLE PRECISION,

    -- Result
    result_summary TEXT,
    failure_reason TEXT,

    -- Timestamps
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(),
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(),
    completed_at TIMESTAMP WITH TIME ZONE,

    -- Metadata
    metadata JSONB NOT NULL DEFAULT '{}',
    version INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT work_items_number_unique UNIQUE (project_id, number),
    CONSTRAINT work_items_status_known CHECK (status IN ('todo', 'claimed', 'done', 'failed', 'cancelled')),
    CONSTRAINT work_items_priority_in_range CHECK (priority BETWEEN 0 AND 9),
    CONSTRAINT work_items_policy_known CHECK (conflict_policy IN ('warn', 'deny')),
    CONSTRAINT work_items_title_length CHECK (length(title) BETWEEN 1 AND 500),
    CONSTRAINT work_items_progress_in_range CHECK (progress BETWEEN 0 AND 100),
    CONSTRAINT work_items_blockers_counted CHECK (open_blockers >= 0),
    CONSTRAINT work_items_hours_positive CHECK (estimated_hours >= 0),
    CONSTRAINT work_items_not_own_parent CHECK (parent_item_id <> id),
    CONSTRAINT work_items_counters_positive CHECK (attempt >= 0 AND max_attempts >= 1 AND failure_count >= 0 AND lost_count >= 0),
    CONSTRAINT work_items_claim_has_holder CHECK (
        status <> 'claimed'
        OR (assigned_agent_id IS NOT NULL AND assigned_at IS NOT NULL AND session_id IS NOT NULL AND attempt >= 1)),
    CONSTRAINT work_items_lease_only_while_claimed CHECK (
        status = 'claimed' OR (lease_expires_at IS NULL AND lease_seconds IS NULL)),
    CONSTRAINT work_items_completed_at_when_over CHECK (
        (completed_at IS NOT NULL) = (status IN ('done', 'failed', 'cancelled'))),
    CONSTRAINT work_items_failed_has_reason CHECK (status <> 'failed' OR failure_reason IS NOT NULL),
    CONSTRAINT work_items_retry_only_when_failed CHECK (retry_at IS NULL OR status = 'failed'),
    CONSTRAINT work_items_stopping_only_when_cancelled CHECK (NOT stopping OR status = 'cancelled'),
    CONSTRAINT work_items_files_bounded CHECK (jsonb_array_length(files_modified) <= 10000),
    CONSTRAINT work_items_json_shapes CHECK (
        jsonb_typeof(dependencies) = 'array' AND jsonb_typeof(files_planned) = 'array' AND jsonb_typeof(files_modified) = 'array'
        AND jsonb_typeof(file_patterns) = 'object' AND jsonb_typeof(metadata) = 'object')
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

CREATE INDEX idx_work_items_project ON work_items (project_id, status);
CREATE INDEX idx_work_items_assigned ON work_items (assigned_agent_id);
CREATE INDEX idx_work_items_parent ON work_items (parent_item_id) WHERE parent_item_id IS NOT NULL;
-- Exactly the predicate and the order of claim_next: its cost does not grow with what is done.
CREATE INDEX work_items_ready ON work_items (project_id, priority, number) WHERE status = 'todo' AND open_blockers = 0;
CREATE INDEX work_items_held ON work_items (session_id) WHERE status = 'claimed';
CREATE INDEX work_items_own_lease ON work_items (lease_expires_at) WHERE lease_expires_at IS NOT NULL;
CREATE INDEX work_items_retry ON work_items (retry_at) WHERE retry_at IS NOT NULL;
CREATE INDEX work_items_stopping ON work_items (session_id) WHERE stopping;
CREATE INDEX work_items_finished ON work_items (project_id, completed_at) WHERE status = 'done';

-- The truth behind an item's `dependencies`, whose order is the column's.
CREATE TABLE work_item_dependencies (
    item_id UUID NOT NULL REFERENCES work_items(id) ON DELETE CASCADE,
    depends_on_id UUID NOT NULL REFERENCES work_items(id) ON DELETE CASCADE,
    PRIMARY KEY (item_id, depends_on_id),
    CONSTRAINT dependencies_not_on_itself CHECK (item_id <> depends_on_id)
);
CREATE INDEX work_item_dependencies_reverse ON work_item_dependencies (depends_on_id, item_id);

-- One run of one agent. work_items.session_id names it without a foreign key: the check would lock this row on
-- every claim, and a claim joins it anyway.
CREATE TABLE agent_sessions (
    id UUID PRIMARY KEY,
    project_id UUID NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    agent_id VARCHAR(255) NOT NULL,
    token_id UUID,
    channel TEXT NOT NULL,
    task_types JSONB,
    capacity INTEGER NOT NULL DEFAULT 1,
    -- Which connection of which hub speaks for it now; null when none does.
    connection_id UUID,
    connected_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(),
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(),
    -- Of all its claims. Null: it has none of its own (http), or it lapsed and was swept.
    lease_expires_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT agent_sessions_channel_known CHECK (channel IN ('socket', 'http'))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX agent_sessions_project ON agent_sessions (project_id, agent_id, last_seen_at);
CREATE UNIQUE INDEX agent_sessions_one_over_http ON agent_sessions (project_id, agent_id) WHERE channel = 'http';
CREATE INDEX agent_sessions_lease ON agent_sessions (lease_expires_at) WHERE lease_expires_at IS NOT NULL;

-- The log: gapless per project, in the order of commits. No foreign key to projects: checked once per event, it
-- costs more than the insert; a project's events go in the statement that deletes the project.
CREATE TABLE events (
    project_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    type TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    item_id UUID,
    attempt INTEGER,
    session_id UUID,
    data JSONB NOT NULL DEFAULT '{}',
    PRIMARY KEY (project_id, seq)
);
CREATE INDEX events_item ON events (item_id, seq) WHERE item_id IS NOT NULL;

-- What a caller was answered under a request_id; pruned after a day.
CREATE TABLE requests (
    caller TEXT NOT NULL,
    request_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    answer JSON,
    error JSON,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (caller, request_id)
);
CREATE INDEX requests_age ON requests (created_at);

CREATE TABLE api_tokens (
    id UUID PRIMARY KEY,
    hash BYTEA NOT NULL CONSTRAINT api_tokens_hash_unique UNIQUE,
    role TEXT NOT NULL,
    project_id UUID REFERENCES projects(id) ON DELETE CASCADE,
    agent_id VARCHAR(255),
    label TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(),
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT api_tokens_role_known CHECK (role IN ('viewer', 'agent', 'operator'))
);

-- ISO 8601 in UTC with milliseconds, as JavaScript writes it.
CREATE FUNCTION iso(at TIMESTAMP WITH TIME ZONE) RETURNS TEXT LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- Do two entries of file lists mean a common file? An entry without a pattern is one file. Errs towards yes
-- between two patterns: they overlap unless their fixed beginnings or endings tell them apart.
CREATE FUNCTION entries_overlap(a TEXT, a_pattern JSONB, b TEXT, b_pattern JSONB) RETURNS BOOLEAN
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN a_pattern IS NULL AND b_pattern IS NULL THEN a = b
    WHEN a_pattern IS NULL THEN
        CASE WHEN b_pattern ->> 'regex' IS NULL THEN starts_with(a, b) ELSE a ~ (b_pattern ->> 'regex') END
    WHEN b_pattern IS NULL THEN
        CASE WHEN a_pattern ->> 'regex' IS NULL THEN starts_with(b, a) ELSE b ~ (a_pattern ->> 'regex') END
    ELSE (starts_with(a_pattern ->> 'prefix', b_pattern ->> 'prefix') OR starts_with(b_pattern ->> 'prefix', a_pattern ->> 'prefix'))
        AND (right(a_pattern ->> 'suffix', length(b_pattern ->> 'suffix')) = b_pattern ->> 'suffix'
            OR right(b_pattern ->> 'suffix', length(a_pattern ->> 'suffix')) = a_pattern ->> 'suffix')
END;

-- The files two items share, or null: {files: [...], kind}. Of an overlap with a pattern the narrower entry is named.
CREATE FUNCTION shared_files(
    a_planned JSONB, a_modified JSONB, a_patterns JSONB, b_planned JSONB, b_modified JSONB, b_patterns JSONB
) RETURNS JSONB LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH a AS MATERIALIZED (
        SELECT path, a_patterns -> path AS pattern, a_modified ? path AS modified
        FROM (SELECT jsonb_array_elements_text(a_planned) UNION SELECT jsonb_array_elements_text(a_modified)) AS paths (path)
    ), b AS MATERIALIZED (
        SELECT path, b_patterns -> path AS pattern, b_modified ? path AS modified
        FROM (SELECT jsonb_array_elements_text(b_planned) UNION SELECT jsonb_array_elements_text(b_modified)) AS paths (path)
    ), shared AS (
        SELECT a.path, a.modified OR b.modified AS modified FROM a JOIN b ON a.path = b.path
        UNION ALL
        SELECT CASE
                WHEN a.pattern IS NULL THEN a.path
                WHEN b.pattern IS NULL THEN b.path
                WHEN length(a.pattern ->> 'prefix') >= length(b.pattern ->> 'prefix') THEN a.path
                ELSE b.path
            END,
            a.modified OR b.modified
        FROM a JOIN b ON a.path <> b.path AND (a.pattern IS NOT NULL OR b.pattern IS NOT NULL)
            AND entries_overlap(a.path, a.pattern, b.path, b.pattern)
        WHERE a_patterns <> '{}' OR b_patterns <> '{}'
    )
    SELECT jsonb_build_object(
        'files', jsonb_agg(DISTINCT path ORDER BY path),
        'kind', CASE WHEN bool_or(modified) THEN 'modified' ELSE 'planned' END)
    FROM shared HAVING count(*) > 0
$$;

-- Ids of what holds an item back: dependencies not done, open children; without those that the asking statement is
-- about to take away. A function, like those below, because a statement then sets it up only when it is called: most
-- items wait for nothing and share no files, and the plans of these questions cost as much to start as the rest.
CREATE FUNCTION blocked_by(item UUID, but_dependencies UUID[] DEFAULT '{}', but_children UUID[] DEFAULT '{}') RETURNS JSONB
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_agg(blocker.id ORDER BY blocker.number), '[]') FROM (
        SELECT w.id, w.number FROM work_item_dependencies d JOIN work_items w ON w.id = d.depends_on_id
        WHERE d.item_id = item AND w.status <> 'done' AND w.id <> ALL (but_dependencies)
        UNION
        SELECT w.id, w.number FROM work_items w
        WHERE w.parent_item_id = item AND w.status IN ('todo', 'claimed', 'failed') AND w.id <> ALL (but_children)
    ) AS blocker
$$;

-- Do these files of an item overlap with a live claim of another?
CREATE FUNCTION conflicts_with_claims(project UUID, item UUID, planned JSONB, modified JSONB, patterns JSONB) RETURNS BOOLEAN
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (
        SELECT FROM work_items o WHERE o.project_id = project AND o.status = 'claimed' AND o.id <> item
            AND shared_files(planned, modified, patterns, o.files_planned, o.files_modified, o.file_patterns) IS NOT NULL)
$$;

-- What a statement does to the conflicts of a project. A conflict is never stored: it is what two live claims share. So
-- those before (the snapshot, which is what a STABLE function sees of the statement that calls it) and those after
-- (`changed`: the items that it changes, as they are then, with `ord`, who asked) are compared. Gives a row with a type
-- for each conflict that begins, grows or ends, and one without for each changed claim: the conflicts it has now.
CREATE FUNCTION conflict_changes(project UUID, changed JSONB)
RETURNS TABLE (type TEXT, ord INTEGER, item_id UUID, attempt INTEGER, session_id UUID, data JSONB, conflicts JSON)
LANGUAGE sql STABLE STRICT AS $$
    WITH c AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(changed) AS c (
            ord INTEGER, id UUID, number INTEGER, title TEXT, status TEXT, assigned_agent_id TEXT, attempt INTEGER,
            session_id UUID, assigned_at TIMESTAMP WITH TIME ZONE, files_planned JSONB, files_modified JSONB, file_patterns JSONB)
    ), before AS MATERIALIZED (
        SELECT w.id, w.number, w.title, w.assigned_agent_id, w.attempt, w.session_id, w.assigned_at, w.files_planned,
            w.files_modified, w.file_patterns, w.files_planned || w.files_modified AS files
        FROM work_items w
        WHERE w.project_id = project AND w.status = 'claimed' AND (w.files_planned <> '[]' OR w.files_modified <> '[]')
    ), was AS MATERIALIZED (
        SELECT * FROM before WHERE before.id IN (SELECT c.id FROM c)
    ), others AS MATERIALIZED (
        SELECT * FROM before WHERE before.id NOT IN (SELECT c.id FROM c)
    ), is_now AS MATERIALIZED (
        SELECT c.id, c.number, c.title, c.assigned_agent_id, c.attempt, c.session_id, c.assigned_at, c.files_planned,
            c.files_modified, c.file_patterns, c.files_planned || c.files_modified AS files
        FROM c WHERE c.status = 'claimed' AND (c.files_planned <> '[]' OR c.files_modified <> '[]')
    ), sides AS MATERIALIZED (
        SELECT false AS after, was.*, ARRAY(SELECT jsonb_array_elements_text(was.files)) AS paths FROM was
        UNION ALL SELECT true, is_now.*, ARRAY(SELECT jsonb_array_elements_text(is_now.files)) FROM is_now
    ), overlap AS MATERIALIZED (
        -- Pairs of which one was changed. Cheap tests first: most pairs share nothing.
        SELECT a.after, a.id AS a_id, b.id AS b_id, found.shared, greatest(a.assigned_at, b.assigned_at) AS since
        FROM sides a JOIN (
            SELECT NULL::BOOLEAN AS after, others.* FROM others
            UNION ALL SELECT false, was.* FROM was UNION ALL SELECT true, is_now.* FROM is_now
        ) AS b ON b.after IS NULL OR (b.after = a.after AND a.id < b.id)
        CROSS JOIN LATERAL (
            SELECT CASE WHEN a.file_patterns <> '{}' OR b.file_patterns <> '{}' OR b.files ?| a.paths
                THEN shared_files(a.files_planned, a.files_modified, a.file_patterns,
                                  b.files_planned, b.files_modified, b.file_patterns) END AS shared OFFSET 0) AS found
        WHERE found.shared IS NOT NULL
    ), party AS MATERIALIZED (
        SELECT p.*, jsonb_build_object('work_item_id', p.id, 'number', p.number, 'title', p.title,
            'agent_id', p.assigned_agent_id, 'attempt', p.attempt, 'session_id', p.session_id) AS named
        FROM (SELECT * FROM others UNION ALL SELECT * FROM is_now
            UNION ALL SELECT * FROM was WHERE was.id NOT IN (SELECT is_now.id FROM is_now)) AS p
    ), line AS (
        SELECT 'conflict.detected' AS type, n.* FROM overlap n
        LEFT JOIN overlap o ON NOT o.after AND o.a_id = n.a_id AND o.b_id = n.b_id
        WHERE n.after AND (o.shared IS NULL OR NOT ((o.shared -> 'files') @> (n.shared -> 'files'))
            OR o.shared -> 'kind' <> n.shared -> 'kind')
        UNION ALL
        SELECT 'conflict.resolved', o.* FROM overlap o
        WHERE NOT o.after AND NOT EXISTS (
            SELECT FROM overlap n WHERE n.after AND n.a_id = o.a_id AND n.b_id = o.b_id)
    )
    SELECT l.type, (SELECT max(c.ord) FROM c WHERE c.id IN (l.a_id, l.b_id)), a.id, a.attempt, a.session_id,
        jsonb_build_object('items', jsonb_build_array(a.named, b.named), 'conflicting_files', l.shared -> 'files',
            'kind', l.shared -> 'kind', 'since', iso(l.since)), NULL::JSON
    FROM line l JOIN party a ON a.id = l.a_id JOIN party b ON b.id = l.b_id
    UNION ALL
    SELECT NULL, NULL, seen.id, NULL, NULL, NULL, json_agg(json_build_object('work_item_id', o.id, 'number', o.number,
        'title', o.title, 'agent_id', o.assigned_agent_id, 'conflicting_files', seen.shared -> 'files',
        'kind', seen.shared -> 'kind', 'since', iso(seen.since)) ORDER BY o.number)
    FROM (SELECT n.a_id AS id, n.b_id AS other_id, n.shared, n.since FROM overlap n WHERE n.after
        UNION ALL SELECT n.b_id, n.a_id, n.shared, n.since FROM overlap n WHERE n.after) AS seen
    JOIN party o ON o.id = seen.other_id GROUP BY seen.id
$$;
