\set QUIET on
\set ON_ERROR_STOP on
-- What this database holds, as one JSON document. Reads only; nothing is changed, nothing is kept.
--
--   psql -XAt -d DATABASE -f catalog.sql > observed.json
--   PGOPTIONS='-c cascade.app_role=app_user' psql …      rights as that role has them
--
-- Settings that narrow it, all optional, each a JSON array: cascade.schemas (look only there),
-- cascade.tables (read only these in full, the others by name), cascade.histories (schemas whose
-- django_migrations is read), cascade.rows ([schema, table] pairs whose rows are counted, to 10,000; to
-- the end where cascade.count_exactly is on), cascade.counters (pairs again: whose sequences are compared
-- with the highest value), cascade.names (schemas where every name that a table cannot take is listed).
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';
SET LOCAL application_name = 'cascade';
SET LOCAL row_security = off;  -- a policy that would hide rows is then an error, and the count is unknown
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, MDY';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL quote_all_identifiers = off;
SET LOCAL jit = off;  -- where catalogs have no statistics yet, compiling takes many times as long as running
-- The search_path that the session came with, before it is replaced by one that makes PostgreSQL
-- print every name that is not its own with its schema.
DO $$ BEGIN
  PERFORM pg_catalog.set_config('cascade.session_path', pg_catalog.current_setting('search_path'), true),
          pg_catalog.set_config('cascade.session_path_source',
            (SELECT source FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'search_path'), true),
          pg_catalog.set_config('cascade.session_schema', pg_catalog.current_schema()::text, true);
END $$;
SET LOCAL search_path = pg_catalog, pg_temp;

-- Rows are read here, table by table, because which tables is known only at run time and because one
-- that is locked or forbidden must not end the rest. What comes back is handed on as settings.
DO $$
DECLARE
  tables json := nullif(current_setting('cascade.tables', true), '');
  wanted_histories json := nullif(current_setting('cascade.histories', true), '');
  wanted_counts json := nullif(current_setting('cascade.rows', true), '');
  wanted_counters json := nullif(current_setting('cascade.counters', true), '');
  schemas json := nullif(current_setting('cascade.schemas', true), '');
  exactly boolean := coalesce(nullif(current_setting('cascade.count_exactly', true), ''), 'off')::boolean;
  histories text[] := '{}';
  counts text[] := '{}';
  counters text[] := '{}';
  asked record;
  answer jsonb;
  time_is_up boolean := false;
  schema_publications text;
BEGIN
  FOR asked IN
    WITH here AS MATERIALIZED (
      SELECT c.oid, n.oid AS schema_oid, n.nspname, c.relname, c.relkind, c.relpages, c.reltuples, c.relispartition
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p')
        AND CASE WHEN schemas IS NOT NULL THEN n.nspname IN (SELECT json_array_elements_text(schemas))
                 ELSE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                      AND n.nspname !~ '^cascade_attic_' END
    ),
    locked AS MATERIALIZED (
      SELECT coalesce(i.indrelid, l.relation) AS oid,
             'locked ACCESS EXCLUSIVE by pid ' || string_agg(DISTINCT l.pid::text, ', ') AS problem
      FROM pg_locks l LEFT JOIN pg_index i ON i.indexrelid = l.relation
      WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      GROUP BY 1
    ),
    history AS (
      SELECT h.oid, h.nspname, h.relname,
             format('SELECT jsonb_build_object(''records'', coalesce('
                    'jsonb_agg(jsonb_build_array(id, app, name, applied) ORDER BY id), ''[]''))'
                    ' FROM %I.%I', h.nspname, h.relname) AS question
      FROM here h
      WHERE h.relname = 'django_migrations'
        AND (wanted_histories IS NULL OR h.nspname IN (SELECT json_array_elements_text(wanted_histories)))
        AND 4 = (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = h.oid AND NOT a.attisdropped
                                                     AND a.attname IN ('id', 'app', 'name', 'applied'))
    ),
    counting AS (
      SELECT h.oid, h.nspname, h.relname,
             format('SELECT jsonb_build_object(''counted'', count(*), ''uncut'', %s)'
                    ' FROM (SELECT FROM %I.%I %s) AS part', exactly::text, h.nspname, h.relname,
                    CASE WHEN exactly THEN '' ELSE 'LIMIT 10001' END) AS question
      FROM here h
      WHERE h.relname <> 'django_migrations'
        AND CASE WHEN wanted_counts IS NOT NULL THEN
                   (h.nspname, h.relname) IN (SELECT p ->> 0, p ->> 1 FROM json_array_elements(wanted_counts) p)
                 -- Unasked: a copy beside another, or a table away from every history.
                 ELSE tables IS NULL
                      AND (NOT EXISTS (SELECT FROM pg_class o WHERE o.relnamespace = h.schema_oid
                                                             AND o.relname = 'django_migrations')
                           OR EXISTS (SELECT FROM pg_class o JOIN pg_namespace m ON m.oid = o.relnamespace
                                      WHERE o.relname = h.relname AND o.oid <> h.oid AND m.nspname !~ '^pg_'))
            END
    ),
    drawing AS MATERIALIZED (
      SELECT * FROM here h
      WHERE NOT h.relispartition AND h.schema_oid <> pg_my_temp_schema()
        AND (tables IS NULL OR h.relname IN (SELECT json_array_elements_text(tables)))
        AND (wanted_counters IS NULL
             OR (h.nspname, h.relname) IN (SELECT p ->> 0, p ->> 1 FROM json_array_elements(wanted_counters) p))
    ),
    draw AS (
      -- An identity owns its sequence; a default depends on the one that it names.
      SELECT h.oid, d.refobjsubid AS attnum, d.objid AS sequence, NULL::oid AS default_oid
      FROM drawing h
      JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = h.oid AND d.refobjsubid > 0
                      AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'
      UNION ALL
      SELECT h.oid, ad.adnum, d.refobjid, ad.oid
      FROM drawing h
      JOIN pg_attrdef ad ON ad.adrelid = h.oid
      JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = ad.oid
                      AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> h.oid
    ),
    counter AS (
      SELECT h.oid, h.nspname, h.relname, d.sequence,
             jsonb_build_object('table', h.oid::bigint, 'column', a.attname, 'sequence',
                                jsonb_build_array(sn.nspname, s.relname), 'increment', q.seqincrement) AS facts,
             -- The snapshot of this transaction is older than what a sequence shows, which obeys none: a row that
             -- is inserted meanwhile cannot make its sequence look behind. A default that does more with the
             -- value than take it answers nothing.
             format('SELECT jsonb_build_object(''highest'', (SELECT %s(%I) FROM %I.%I), ''next_value'','
                    ' last_value::numeric + CASE WHEN is_called THEN %s ELSE 0 END) FROM %I.%I',
                    CASE WHEN q.seqincrement > 0 THEN 'max' ELSE 'min' END, a.attname, h.nspname, h.relname,
                    q.seqincrement, sn.nspname, s.relname)
             || CASE WHEN d.default_oid IS NULL THEN ''
                     ELSE format(' WHERE (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE oid = %s)'
                                 ' ~ %L', d.default_oid, '^nextval\(''.*''::regclass\)$') END AS question,
             EXISTS (SELECT FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_am m ON m.oid = ic.relam
                     WHERE i.indrelid = h.oid AND i.indkey[0] = a.attnum AND m.amname = 'btree'
                       AND i.indisvalid AND i.indpred IS NULL)
             OR (h.relkind = 'r' AND h.reltuples >= 0 AND h.relpages <= 1000) AS is_cheap
      FROM drawing h
      JOIN draw d ON d.oid = h.oid
      JOIN pg_attribute a ON a.attrelid = h.oid AND a.attnum = d.attnum
                         AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
      JOIN pg_class s ON s.oid = d.sequence AND s.relkind = 'S'
      JOIN pg_namespace sn ON sn.oid = s.relnamespace
      JOIN pg_sequence q ON q.seqrelid = s.oid
    )
    -- Histories first: a count that takes too long must not cost them.
    SELECT 1 AS turn, oid, nspname, relname, NULL::jsonb AS facts, question,
           (SELECT l.problem FROM locked l WHERE l.oid = h.oid) AS problem
    FROM history h
    UNION ALL
    SELECT 2, oid, nspname, relname, facts, question,
           CASE WHEN is_cheap THEN (SELECT min(l.problem) FROM locked l WHERE l.oid IN (c.oid, c.sequence))
                ELSE 'no index leads to the highest value, and the table is not known to be small' END
    FROM counter c
    UNION ALL
    SELECT 3, oid, nspname, relname, NULL, question, (SELECT l.problem FROM locked l WHERE l.oid = c.oid)
    FROM counting c
    ORDER BY turn, nspname, relname, facts
  LOOP
    IF asked.problem IS NOT NULL THEN
      answer := jsonb_build_object('problem', asked.problem);
    ELSIF time_is_up THEN
      answer := jsonb_build_object('problem', 'not read: an earlier table took all of the time');
    ELSE
      BEGIN
        EXECUTE asked.question INTO answer;
        -- Undone for its locks: they would else be held on every table until all is read.
        RAISE SQLSTATE 'CS000';
      EXCEPTION
        WHEN SQLSTATE 'CS000' THEN NULL;
        -- OTHERS does not catch it. The time is that of the whole block, and is not measured a second time:
        -- what is left is not begun. Somebody who cancels by hand is obeyed in the same way.
        WHEN query_canceled THEN
          time_is_up := true;
          answer := jsonb_build_object('problem', SQLERRM);
        WHEN OTHERS THEN
          answer := jsonb_build_object('problem', SQLERRM);
      END;
    END IF;
    CASE asked.turn
      WHEN 1 THEN
        histories := histories
          || (jsonb_build_object('schema', asked.nspname, 'oid', asked.oid::bigint) || answer)::text;
      WHEN 2 THEN
        IF answer IS NOT NULL THEN
          counters := counters || (asked.facts || answer)::text;
        END IF;
      WHEN 3 THEN
        counts := counts || format('"%s": %s', asked.oid, answer);
    END CASE;
  END LOOP;
  -- pg_publication_namespace came with PostgreSQL 15; before it, a publication took in all schemas or none.
  EXECUTE 'SELECT json_object_agg(schema, publications)::text FROM (
             SELECT n.nspname AS schema, json_agg(p.pubname ORDER BY p.pubname) AS publications
             FROM pg_namespace n JOIN pg_publication p ON p.puballtables'
          || CASE WHEN current_setting('server_version_num')::integer >= 150000 THEN
               ' OR EXISTS (SELECT FROM pg_publication_namespace x WHERE x.pnpubid = p.oid AND x.pnnspid = n.oid)'
             ELSE '' END
          || ' WHERE n.nspname !~ ''^pg_'' AND n.nspname <> ''information_schema'' GROUP BY n.nspname) AS part'
  INTO schema_publications;
  PERFORM set_config('cascade.read_schema_publications', coalesce(schema_publications, '{}'), true);
  PERFORM set_config('cascade.read_histories', '[' || array_to_string(histories, ',') || ']', true),
          set_config('cascade.read_counters', '[' || array_to_string(counters, ',') || ']', true),
          set_config('cascade.read_counts', '{' || array_to_string(counts, ',') || '}', true);
END $$;

-- The query.
WITH RECURSIVE
scope AS MATERIALIZED (
  SELECT nullif(current_setting('cascade.schemas', true), '')::json AS schemas,
         nullif(current_setting('cascade.tables', true), '')::json AS tables,
         nullif(current_setting('cascade.names', true), '')::json AS names,
         current_setting('cascade.read_counts')::jsonb AS counts,
         coalesce(nullif(current_setting('cascade.app_role', true), ''), current_user) AS app_role,
         (SELECT oid FROM pg_database WHERE datname = current_database()) AS database
),
application_role AS MATERIALIZED (
  SELECT r.oid, r.rolname FROM pg_roles r, scope WHERE r.rolname = scope.app_role
),
namespace AS MATERIALIZED (
  SELECT n.oid, n.nspname, n.nspowner
  FROM pg_namespace n, scope
  WHERE CASE WHEN scope.schemas IS NOT NULL
             THEN n.nspname IN (SELECT json_array_elements_text(scope.schemas))
             ELSE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                  AND n.nspname !~ '^cascade_attic_' END
),
-- ACCESS EXCLUSIVE, held or queued for by somebody else: printing a definition would wait behind it.
locked AS MATERIALIZED (
  SELECT coalesce(i.indrelid, l.relation) AS oid, array_agg(DISTINCT l.pid ORDER BY l.pid) AS pids
  FROM scope, pg_locks l LEFT JOIN pg_index i ON i.indexrelid = l.relation
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
    AND l.pid IS DISTINCT FROM pg_backend_pid() AND l.database = scope.database
  GROUP BY 1
),
relation AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relowner, c.relpages, c.reltuples, c.relispartition,
         c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relacl, c.relnamespace, locked.pids,
         scope.tables IS NULL OR c.relname = ANY (full_names.names) AS in_full
  FROM scope
  CROSS JOIN (SELECT array_agg(j.name) AS names
              FROM scope, json_array_elements_text(scope.tables) AS j(name)) AS full_names
  CROSS JOIN namespace n
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  LEFT JOIN locked ON locked.oid = c.oid
),
in_full AS MATERIALIZED (SELECT * FROM relation WHERE in_full),
-- Tables that stay: of those that are made to be read back, rights and what they use say nothing.
lasting AS MATERIALIZED (
  SELECT oid, relowner, relacl FROM in_full
  WHERE relkind IN ('r', 'p') AND relnamespace <> pg_my_temp_schema()
),
extension_member AS MATERIALIZED (
  SELECT d.classid, d.objid, e.extname
  FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
  WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
),
owned_sequence AS MATERIALIZED (
  -- A column can own several: that of its identity counts, then the one that its default uses.
  SELECT DISTINCT ON (d.refobjid, d.refobjsubid) d.refobjid AS table_oid, d.refobjsubid AS attnum,
         json_build_object('schema', n.nspname, 'name', c.relname, 'type', format_type(s.seqtypid, NULL),
           'start', s.seqstart, 'increment', s.seqincrement, 'minimum', s.seqmin, 'maximum', s.seqmax,
           'cache', s.seqcache, 'cycle', s.seqcycle) AS sequence
  FROM pg_depend d
  JOIN in_full r ON r.oid = d.refobjid
  JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_sequence s ON s.seqrelid = c.oid
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
  ORDER BY d.refobjid, d.refobjsubid, d.deptype = 'i' DESC,
           EXISTS (SELECT FROM pg_attrdef ad
                   JOIN pg_depend u ON u.classid = 'pg_attrdef'::regclass AND u.objid = ad.oid
                   WHERE ad.adrelid = d.refobjid AND ad.adnum = d.refobjsubid
                     AND u.refclassid = 'pg_class'::regclass AND u.refobjid = c.oid) DESC,
           c.relname
),
column_list AS MATERIALIZED (
  SELECT a.attrelid AS oid, json_agg(json_build_object(
      'name', a.attname,
      'type', format_type(a.atttypid, a.atttypmod),
      'nullable', NOT a.attnotnull,
      'default', CASE WHEN r.pids IS NULL THEN pg_get_expr(ad.adbin, ad.adrelid) END,
      'identity', a.attidentity,
      'generated', a.attgenerated,
      'collation', CASE WHEN a.attcollation <> base.typcollation THEN
          CASE WHEN cn.nspname = 'pg_catalog' THEN quote_ident(co.collname)
               ELSE quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END END,
      'comment', col_description(a.attrelid, a.attnum),
      'sequence', os.sequence,
      'type_ref', CASE WHEN tn.nspname <> 'pg_catalog' THEN json_build_object(
          'schema', tn.nspname, 'name', element.typname, 'extension', em.extname) END
    ) ORDER BY a.attnum) AS columns
  FROM in_full r
  JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type base ON base.oid = a.atttypid
  JOIN pg_type element ON element.oid = CASE WHEN base.typelem <> 0 AND base.typcategory = 'A'
                                             THEN base.typelem ELSE base.oid END
  JOIN pg_namespace tn ON tn.oid = element.typnamespace
  LEFT JOIN extension_member em ON em.classid = 'pg_type'::regclass AND em.objid = element.oid
  LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
  LEFT JOIN pg_collation co ON co.oid = a.attcollation
  LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
  LEFT JOIN owned_sequence os ON os.table_oid = a.attrelid AND os.attnum = a.attnum
  GROUP BY a.attrelid
),
constraint_list AS MATERIALIZED (
  SELECT c.conrelid AS oid, json_agg(json_build_object(
      'name', c.conname,
      'kind', c.contype,
      'columns', (SELECT coalesce(json_agg(a.attname ORDER BY k.position), '[]'::json)
                  FROM unnest(c.conkey) WITH ORDINALITY AS k(attnum, position)
                  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum),
      'definition', CASE WHEN r.pids IS NULL AND c.contype <> 'f' THEN pg_get_constraintdef(c.oid) END,
      'references', CASE WHEN c.contype = 'f' THEN json_build_object(
          'schema', fn.nspname, 'table', fc.relname,
          'columns', (SELECT json_agg(a.attname ORDER BY k.position)
                      FROM unnest(c.confkey) WITH ORDINALITY AS k(attnum, position)
                      JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum),
          'on_update', c.confupdtype, 'on_delete', c.confdeltype, 'match', c.confmatchtype,
          -- confdelsetcols came with PostgreSQL 15.
          'set_columns', (SELECT coalesce(json_agg(a.attname ORDER BY a.attnum), '[]'::json)
                          FROM jsonb_array_elements_text(
                            nullif(to_jsonb(c) -> 'confdelsetcols', 'null'::jsonb)) AS k(attnum)
                          JOIN pg_attribute a ON a.attrelid = c.conrelid
                                             AND a.attnum = k.attnum::smallint)) END,
      'deferrable', c.condeferrable,
      'initially_deferred', c.condeferred,
      'validated', c.convalidated,
      -- conenforced came with PostgreSQL 18.
      'enforced', CASE WHEN c.contype IN ('c', 'f')
                       THEN coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true) ELSE true END,
      'index', CASE WHEN c.contype IN ('p', 'u', 'x') THEN ic.relname END,
      -- Of a key the triggers sit on both tables, of a deferrable unique constraint on its own.
      'enabled', NOT EXISTS (SELECT FROM pg_trigger t
                             WHERE t.tgconstraint = c.oid AND t.tgenabled NOT IN ('O', 'A')),
      'comment', obj_description(c.oid, 'pg_constraint')
    ) ORDER BY c.contype, c.conname) AS constraints
  FROM in_full r
  JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype IN ('p', 'u', 'c', 'f', 'x', 'n')
  LEFT JOIN pg_class fc ON fc.oid = c.confrelid
  LEFT JOIN pg_namespace fn ON fn.oid = fc.relnamespace
  LEFT JOIN pg_class ic ON ic.oid = c.conindid
  GROUP BY c.conrelid
),
-- An index definition is kept from the access method on; what stands before are names.
index_text AS MATERIALIZED (
  SELECT i.indexrelid, i.indrelid,
         pg_get_indexdef(i.indexrelid) AS definition,
         'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX ' || quote_ident(ic.relname)
           || ' ON ' || CASE WHEN ic.relkind = 'I' THEN 'ONLY ' ELSE '' END
           -- This session's temporary schema is printed by its alias.
           || CASE WHEN r.relnamespace = pg_my_temp_schema() THEN 'pg_temp' ELSE quote_ident(r.nspname) END
           || '.' || quote_ident(r.relname) || ' USING ' AS head
  FROM in_full r
  JOIN pg_index i ON i.indrelid = r.oid
  JOIN pg_class ic ON ic.oid = i.indexrelid
  WHERE r.pids IS NULL
),
index_list AS MATERIALIZED (
  SELECT i.indrelid AS oid, json_agg(json_build_object(
      'name', ic.relname,
      'columns', (SELECT json_agg(coalesce(a.attname, '') ORDER BY k.position)
                  FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(attnum, position)
                  LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                                          AND k.attnum > 0
                  WHERE k.position <= i.indnkeyatts),
      'tail', CASE WHEN starts_with(t.definition, t.head)
                   THEN substr(t.definition, length(t.head) + 1) END,
      'unique', i.indisunique,
      'valid', i.indisvalid,
      'constraint', (SELECT min(c.conname::text) FROM pg_constraint c
                     WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')
                       AND c.conrelid = i.indrelid),
      'comment', obj_description(i.indexrelid, 'pg_class')
    ) ORDER BY ic.relname) AS indexes
  FROM in_full r
  JOIN pg_index i ON i.indrelid = r.oid
  JOIN pg_class ic ON ic.oid = i.indexrelid
  LEFT JOIN index_text t ON t.indexrelid = i.indexrelid
  GROUP BY i.indrelid
),
-- By default a table's owner alone has rights on it: no list, no grants.
grant_list AS MATERIALIZED (
  SELECT r.oid, json_agg(DISTINCT ARRAY[CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee)::text END,
                                        x.privilege_type]) AS grants
  FROM lasting r CROSS JOIN LATERAL aclexplode(r.relacl) AS x
  WHERE x.grantee <> r.relowner
  GROUP BY r.oid
),
counter_list AS MATERIALIZED (
  SELECT (c ->> 'table')::oid AS oid, json_agg(c ORDER BY position) AS counters
  FROM jsonb_array_elements(current_setting('cascade.read_counters')::jsonb) WITH ORDINALITY AS x(c, position)
  GROUP BY 1
),
-- What stands beside a table and a part of it cannot do without. OIDs below 16384 are PostgreSQL's own
-- (FirstNormalObjectId); where the catalog of the part names the object, pg_depend is not asked.
direct_use AS MATERIALIZED (
  SELECT r.oid AS table_oid, 'pg_type'::regclass::oid AS classid, a.atttypid AS objid,
         'the column ' || quote_ident(a.attname) AS used_by
  FROM lasting r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE a.atttypid >= 16384
  UNION ALL
  SELECT r.oid, 'pg_collation'::regclass, a.attcollation, 'the column ' || quote_ident(a.attname)
  FROM lasting r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE a.attcollation >= 16384
  UNION ALL
  SELECT r.oid, x.classid, x.objid, 'the index ' || quote_ident(ic.relname)
  FROM lasting r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class ic ON ic.oid = i.indexrelid
  CROSS JOIN LATERAL (SELECT 'pg_opclass'::regclass::oid, unnest(i.indclass::oid[])
                      UNION ALL
                      SELECT 'pg_collation'::regclass, unnest(i.indcollation::oid[])) AS x(classid, objid)
  WHERE x.objid >= 16384
  UNION ALL
  SELECT r.oid, 'pg_proc'::regclass, t.tgfoid, 'the trigger ' || quote_ident(t.tgname)
  FROM lasting r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
  WHERE t.tgfoid >= 16384
  UNION ALL
  SELECT r.oid, 'pg_statistic_ext'::regclass, s.oid, 'its statistics'
  FROM lasting r JOIN pg_statistic_ext s ON s.stxrelid = r.oid
  UNION ALL
  SELECT part.table_oid, d.refclassid, d.refobjid, part.used_by
  FROM (
    SELECT r.oid, 'pg_attrdef'::regclass, ad.oid,
           CASE a.attgenerated WHEN '' THEN 'the default of ' ELSE 'the generated column ' END || quote_ident(a.attname)
    FROM lasting r JOIN pg_attrdef ad ON ad.adrelid = r.oid
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = ad.adnum
    UNION ALL
    SELECT r.oid, 'pg_constraint'::regclass, c.oid, 'the constraint ' || quote_ident(c.conname)
    FROM lasting r JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype = 'c'
    UNION ALL
    SELECT r.oid, 'pg_class'::regclass, i.indexrelid, 'the index ' || quote_ident(ic.relname)
    FROM lasting r JOIN pg_index i ON i.indrelid = r.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
    JOIN pg_class ic ON ic.oid = i.indexrelid
  ) AS part(table_oid, classid, objid, used_by)
  JOIN pg_depend d ON d.classid = part.classid AND d.objid = part.objid AND d.deptype = 'n' AND d.refobjid >= 16384
  -- A sequence that the table owns is in its schema and moves with it.
  WHERE NOT EXISTS (SELECT FROM pg_depend own
                    WHERE own.classid = 'pg_class'::regclass AND d.refclassid = own.classid AND own.objid = d.refobjid
                      AND own.refclassid = 'pg_class'::regclass AND own.refobjid = part.table_oid
                      AND own.deptype IN ('a', 'i'))
),
-- An array needs its element, a domain its base, a function its types; of an extension's the extension moves.
-- Worked out once for each object that is used, however many use it.
needed AS (
  SELECT classid AS used_class, objid AS used, classid, objid FROM direct_use
  UNION
  SELECT u.used_class, u.used, d.refclassid, d.refobjid
  FROM needed u
  JOIN pg_depend d ON d.classid = u.classid AND d.objid = u.objid AND d.deptype IN ('n', 'i') AND d.refobjid >= 16384
  WHERE u.classid IN ('pg_type'::regclass, 'pg_proc'::regclass, 'pg_collation'::regclass, 'pg_ts_config'::regclass)
    AND NOT EXISTS (SELECT FROM extension_member em WHERE em.classid = u.classid AND em.objid = u.objid)
),
named AS MATERIALIZED (
  SELECT u.used_class, u.used, o.kind, n.nspname, o.name, em.extname
  FROM needed u
  JOIN LATERAL (
    SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, t.typnamespace, quote_ident(t.typname)
    FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
    -- Neither an array, of which its element is listed, nor the row of a table.
    WHERE u.classid = 'pg_type'::regclass AND t.oid = u.objid
      AND NOT (t.typcategory = 'A' AND t.typelem <> 0) AND coalesce(c.relkind, 'c') = 'c'
    UNION ALL
    SELECT 'function', p.pronamespace, quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')'
    FROM pg_proc p WHERE u.classid = 'pg_proc'::regclass AND p.oid = u.objid
    UNION ALL
    SELECT 'collation', c.collnamespace, quote_ident(c.collname)
    FROM pg_collation c WHERE u.classid = 'pg_collation'::regclass AND c.oid = u.objid
    UNION ALL
    SELECT 'operator class', c.opcnamespace, quote_ident(c.opcname) || ' USING ' || quote_ident(m.amname)
    FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod
    WHERE u.classid = 'pg_opclass'::regclass AND c.oid = u.objid
    UNION ALL
    SELECT 'operator', p.oprnamespace, p.oprname || ' ('
           || CASE p.oprleft WHEN 0 THEN 'NONE' ELSE format_type(p.oprleft, NULL) END || ', '
           || format_type(p.oprright, NULL) || ')'
    FROM pg_operator p WHERE u.classid = 'pg_operator'::regclass AND p.oid = u.objid
    UNION ALL
    SELECT 'text search configuration', c.cfgnamespace, quote_ident(c.cfgname)
    FROM pg_ts_config c WHERE u.classid = 'pg_ts_config'::regclass AND c.oid = u.objid
    UNION ALL
    SELECT 'text search dictionary', d.dictnamespace, quote_ident(d.dictname)
    FROM pg_ts_dict d WHERE u.classid = 'pg_ts_dict'::regclass AND d.oid = u.objid
    UNION ALL
    SELECT 'statistics', s.stxnamespace, quote_ident(s.stxname)
    FROM pg_statistic_ext s WHERE u.classid = 'pg_statistic_ext'::regclass AND s.oid = u.objid
    UNION ALL
    SELECT 'sequence', c.relnamespace, quote_ident(c.relname)
    FROM pg_class c WHERE u.classid = 'pg_class'::regclass AND c.oid = u.objid AND c.relkind = 'S'
  ) AS o(kind, namespace, name) ON true
  JOIN pg_namespace n ON n.oid = o.namespace AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  LEFT JOIN extension_member em ON em.classid = u.classid AND em.objid = u.objid
),
use_list AS MATERIALIZED (
  SELECT u.table_oid AS oid,
         json_agg(DISTINCT ARRAY[n.kind, n.nspname::text, n.name, coalesce(n.extname::text, ''), u.used_by]) AS uses
  FROM direct_use u JOIN named n ON n.used_class = u.classid AND n.used = u.objid
  GROUP BY u.table_oid
),
-- What is bound to a table by its OID, with the statement that makes it again where there is one that will do.
dependant AS (
  SELECT d.refobjid AS oid, CASE v.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END AS kind,
         quote_ident(n.nspname) || '.' || quote_ident(v.relname) AS name,
         CASE WHEN v.relkind = 'v' AND r.pids IS NULL THEN
           'CREATE OR REPLACE VIEW ' || quote_ident(n.nspname) || '.' || quote_ident(v.relname)
           || coalesce(' WITH (' || array_to_string(v.reloptions, ', ') || ')', '') || ' AS '
           || pg_get_viewdef(v.oid) ELSE '' END AS definition
  FROM in_full r
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_rewrite w ON w.oid = d.objid AND w.ev_class <> r.oid
  JOIN pg_class v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm')
  JOIN pg_namespace n ON n.oid = v.relnamespace
  UNION
  SELECT r.oid, 'rule', quote_ident(w.rulename), CASE WHEN r.pids IS NULL THEN pg_get_ruledef(w.oid) ELSE '' END
  FROM in_full r JOIN pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
  UNION
  SELECT r.oid, 'trigger', quote_ident(t.tgname),
         -- The definition does not say whether it is enabled: one that is not as it is made cannot be made again by it.
         CASE WHEN r.pids IS NULL AND t.tgenabled = 'O' THEN pg_get_triggerdef(t.oid) || ';' ELSE '' END
  FROM in_full r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
  UNION
  SELECT r.oid, 'policy', quote_ident(p.polname),
         CASE WHEN r.pids IS NULL THEN
           'CREATE POLICY ' || quote_ident(p.polname)
           || ' ON ' || quote_ident(r.nspname) || '.' || quote_ident(r.relname)
           || CASE WHEN p.polpermissive THEN '' ELSE ' AS RESTRICTIVE' END
           || CASE p.polcmd WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT' WHEN 'w' THEN ' FOR UPDATE'
                            WHEN 'd' THEN ' FOR DELETE' ELSE '' END
           || ' TO '
           || (SELECT string_agg(CASE u.role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(u.role)) END, ', ')
               FROM unnest(p.polroles) AS u(role))
           || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
           || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '') || ';' ELSE '' END
  FROM in_full r JOIN pg_policy p ON p.polrelid = r.oid
  UNION
  SELECT r.oid, 'function', d.objid::regprocedure::text, ''
  FROM in_full r
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid AND d.classid = 'pg_proc'::regclass
  UNION
  SELECT r.oid, 'statistics object', quote_ident(n.nspname) || '.' || quote_ident(s.stxname), ''
  FROM in_full r JOIN pg_statistic_ext s ON s.stxrelid = r.oid JOIN pg_namespace n ON n.oid = s.stxnamespace
  UNION
  SELECT i.inhparent, CASE WHEN c.relispartition THEN 'partition' ELSE 'child' END,
         quote_ident(n.nspname) || '.' || quote_ident(c.relname), ''
  FROM in_full r JOIN pg_inherits i ON i.inhparent = r.oid
  JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
),
dependant_list AS MATERIALIZED (
  SELECT oid, json_agg(ARRAY[kind, name, definition] ORDER BY kind, name) AS dependants FROM dependant GROUP BY oid
),
publication_list AS MATERIALIZED (
  SELECT r.oid, json_agg(p.pubname ORDER BY p.pubname) AS publications
  FROM pg_publication_tables p JOIN in_full r ON r.nspname = p.schemaname AND r.relname = p.tablename
  GROUP BY r.oid
),
subscription_list AS MATERIALIZED (
  SELECT x.srrelid AS oid, json_agg(s.subname ORDER BY s.subname) AS subscriptions
  FROM pg_subscription_rel x JOIN pg_subscription s ON s.oid = x.srsubid
  GROUP BY x.srrelid
),
table_list AS (
  SELECT json_agg(CASE WHEN r.in_full THEN json_build_object(
      'schema', r.nspname, 'name', r.relname, 'kind', r.relkind, 'oid', r.oid::bigint,
      'owner', pg_get_userbyid(r.relowner), 'comment', obj_description(r.oid, 'pg_class'),
      'pages', r.relpages,
      'estimate', CASE WHEN r.reltuples >= 0 THEN r.reltuples::bigint END,
      'counted', scope.counts -> r.oid::text -> 'counted',
      'counted_uncut', scope.counts -> r.oid::text -> 'uncut',
      'uncounted_because', scope.counts -> r.oid::text -> 'problem',
      'is_partition', r.relispartition, 'row_security', r.relrowsecurity,
      'force_row_security', r.relforcerowsecurity,
      'dependants', coalesce(dl.dependants, '[]'::json), 'publications', coalesce(pl.publications, '[]'::json),
      'subscriptions', coalesce(sl.subscriptions, '[]'::json),
      'dropped_columns', (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attisdropped),
      -- The mark stays on the index when the table has another identity.
      'replica_identity', CASE WHEN r.relreplident = 'i' THEN
         (SELECT ic.relname FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
          WHERE i.indrelid = r.oid AND i.indisreplident) END,
      'extension', em.extname, 'locked_by', r.pids,
      -- Whether the connected role has the rights of the owner: by itself, as a member, or as superuser.
      'alterable', pg_has_role(r.relowner, 'USAGE'),
      'rights', json_build_object(
        'usage', has_schema_privilege(ar.oid, r.relnamespace, 'USAGE'),
        -- On the table, or column by column on all of it: a model names all of its columns.
        'select', has_table_privilege(ar.oid, r.oid, 'SELECT')
                  OR (SELECT bool_and(has_column_privilege(ar.oid, r.oid, a.attnum, 'SELECT')) FROM pg_attribute a
                      WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped),
        'insert', has_table_privilege(ar.oid, r.oid, 'INSERT')
                  OR (SELECT bool_and(has_column_privilege(ar.oid, r.oid, a.attnum, 'INSERT')) FROM pg_attribute a
                      WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped),
        'update', has_table_privilege(ar.oid, r.oid, 'UPDATE')
                  OR (SELECT bool_and(has_column_privilege(ar.oid, r.oid, a.attnum, 'UPDATE')) FROM pg_attribute a
                      WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped),
        'delete', has_table_privilege(ar.oid, r.oid, 'DELETE'),
        -- What a default draws from; an identity column's sequence needs no right.
        'sequences', NOT EXISTS (
           SELECT FROM pg_attrdef ad
           JOIN pg_depend u ON u.classid = 'pg_attrdef'::regclass AND u.objid = ad.oid
                           AND u.refclassid = 'pg_class'::regclass
           JOIN pg_class s ON s.oid = u.refobjid
           WHERE ad.adrelid = r.oid
             -- CASE, because conditions are tried in any order, and the function refuses what is no sequence.
             AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(ar.oid, s.oid, 'USAGE, UPDATE')
                      ELSE false END)),
      'grants', coalesce(gl.grants, '[]'::json),
      'uses', coalesce(ul.uses, '[]'::json),
      'counters', coalesce(nl.counters, '[]'::json),
      'columns', coalesce(cl.columns, '[]'::json),
      'constraints', coalesce(kl.constraints, '[]'::json),
      'indexes', coalesce(il.indexes, '[]'::json))
    ELSE json_build_object('schema', r.nspname, 'name', r.relname, 'kind', r.relkind,
      'is_partition', r.relispartition, 'extension', em.extname) END
    ORDER BY r.nspname, r.relname) AS tables
  FROM scope CROSS JOIN relation r
  LEFT JOIN application_role ar ON true
  LEFT JOIN extension_member em ON em.classid = 'pg_class'::regclass AND em.objid = r.oid
  LEFT JOIN column_list cl ON cl.oid = r.oid
  LEFT JOIN constraint_list kl ON kl.oid = r.oid
  LEFT JOIN index_list il ON il.oid = r.oid
  LEFT JOIN grant_list gl ON gl.oid = r.oid
  LEFT JOIN use_list ul ON ul.oid = r.oid
  LEFT JOIN counter_list nl ON nl.oid = r.oid
  LEFT JOIN dependant_list dl ON dl.oid = r.oid
  LEFT JOIN publication_list pl ON pl.oid = r.oid
  LEFT JOIN subscription_list sl ON sl.oid = r.oid
)
SELECT json_build_object(
  'cascade_observed', 3,
  'read_at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  'server', json_build_object(
    'version', current_setting('server_version'),
    'version_num', current_setting('server_version_num')::integer,
    'address', host(inet_server_addr()), 'port', current_setting('port')::integer,
    'socket', inet_server_addr() IS NULL,
    'in_recovery', pg_is_in_recovery()),
  'database', current_database(),
  'connected_as', current_user,
  'may_create_temporary', has_database_privilege(current_database(), 'TEMP'),
  'application_role', json_build_object('name', scope.app_role, 'exists', ar.oid IS NOT NULL),
  'roles', CASE WHEN ar.oid IS NULL THEN (SELECT json_agg(rolname ORDER BY rolname) FROM pg_roles) END,
  'session_path', current_setting('cascade.session_path', true),
  'session_path_source', current_setting('cascade.session_path_source', true),
  'session_schema', nullif(current_setting('cascade.session_schema', true), ''),
  -- Where a search_path is set for good (pg_db_role_setting); no other setting is read.
  'path_settings', (
    SELECT coalesce(json_agg(json_build_object(
             'role', role.rolname, 'database', s.setdatabase <> 0, 'value', substr(v, length('search_path=') + 1))
             ORDER BY role.rolname, s.setdatabase <> 0), '[]'::json)
    FROM pg_db_role_setting s
    LEFT JOIN pg_roles role ON role.oid = s.setrole
    CROSS JOIN unnest(s.setconfig) AS v
    WHERE v LIKE 'search\_path=%' AND s.setdatabase IN (0, scope.database)
      AND (s.setrole = 0 OR role.rolname IN (scope.app_role, current_user))),
  'schemas', (
    SELECT coalesce(json_agg(json_build_object(
             'name', n.nspname, 'owner', pg_get_userbyid(n.nspowner),
             'usage', has_schema_privilege(ar.oid, n.oid, 'USAGE'),
             'connected_usage', has_schema_privilege(n.oid, 'USAGE'),
             'create', has_schema_privilege(n.oid, 'CREATE'),
             'application_create', has_schema_privilege(ar.oid, n.oid, 'CREATE'),
             -- What the application role would get on a table that the role which migrates makes here.
             'default_rights', CASE
               WHEN pg_has_role(ar.oid, me.oid, 'USAGE') THEN '["select", "insert", "update", "delete"]'::json
               ELSE (SELECT coalesce(json_agg(DISTINCT lower(x.privilege_type)), '[]'::json)
                     FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) AS x
                     WHERE d.defaclobjtype = 'r' AND d.defaclrole = me.oid AND d.defaclnamespace IN (0, n.oid)
                       AND CASE WHEN x.grantee = 0 THEN true ELSE pg_has_role(ar.oid, x.grantee, 'USAGE') END) END,
             -- And what every other role would get on it.
             'default_grants', (
               SELECT coalesce(json_agg(DISTINCT ARRAY[
                        CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee)::text END, x.privilege_type]),
                        '[]'::json)
               FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) AS x
               WHERE d.defaclobjtype = 'r' AND d.defaclrole = me.oid AND d.defaclnamespace IN (0, n.oid)
                 AND x.grantee <> me.oid))
             ORDER BY n.nspname), '[]'::json)
    FROM namespace n
    JOIN pg_roles me ON me.oid = coalesce(
      (SELECT r.relowner FROM relation r WHERE r.relnamespace = n.oid AND r.relname = 'django_migrations'),
      (SELECT oid FROM pg_roles WHERE rolname = current_user))),
  -- Where types and the like are looked up, and a fingerprint of all that is not PostgreSQL's own.
  'type_schemas', (
    SELECT coalesce(json_agg(DISTINCT n.nspname ORDER BY n.nspname), '[]'::json)
    FROM namespace n
    WHERE EXISTS (SELECT FROM pg_extension e WHERE e.extnamespace = n.oid)
       OR EXISTS (SELECT FROM pg_type t WHERE t.typnamespace = n.oid AND t.typrelid = 0
                                          AND t.typcategory <> 'A')
       OR EXISTS (SELECT FROM pg_collation c WHERE c.collnamespace = n.oid)),
  'types_fingerprint', (
    SELECT md5(coalesce(string_agg(part, ',' ORDER BY part), ''))
    FROM (
      SELECT concat_ws(' ', 'extension', e.extname, e.extversion, n.nspname)
      FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
      UNION ALL
      SELECT concat_ws(' ', 'type', n.nspname, t.typname, t.typtype, format_type(t.typbasetype, t.typtypmod),
                       t.typnotnull, t.typdefault, t.typcollation,
                       (SELECT string_agg(l.enumlabel, ',' ORDER BY l.enumsortorder)
                        FROM pg_enum l WHERE l.enumtypid = t.oid))
      FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
      WHERE t.oid >= 16384 AND t.typrelid = 0 AND t.typcategory <> 'A'
      UNION ALL
      SELECT concat_ws(' ', 'collation', n.nspname, c.collname, to_jsonb(c) - 'oid')
      FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid >= 16384
      UNION ALL
      SELECT concat_ws(' ', 'operator class', n.nspname, o.opcname, o.opcmethod, o.opcdefault)
      FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace WHERE o.oid >= 16384
      UNION ALL
      SELECT concat_ws(' ', 'function', n.nspname, p.proname, p.proargtypes, p.provolatile, md5(p.prosrc))
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE p.oid >= 16384 AND n.nspname !~ '^pg_'
    ) AS own(part)),
  -- Of a trusted extension, which its owner may make, the objects are the superuser's: its owner may not move it.
  'extensions', (
    SELECT json_agg(json_build_object(
      'name', e.extname, 'schema', n.nspname,
      'held_by', (
        SELECT min(pg_get_userbyid(p.proowner)::text)
        FROM extension_member em JOIN pg_proc p ON em.classid = 'pg_proc'::regclass AND p.oid = em.objid
        WHERE em.extname = e.extname AND pg_has_role(e.extowner, 'USAGE') AND NOT pg_has_role(p.proowner, 'USAGE'))
    ) ORDER BY e.extname)
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname <> 'plpgsql'),
  'event_triggers', (
    SELECT coalesce(json_agg(e.evtname ORDER BY e.evtname), '[]'::json)
    FROM pg_event_trigger e
    WHERE e.evtenabled IN ('O', 'A') AND e.evtevent <> 'login'),
  -- Schemas of things put aside, with the names taken there.
  'attics', (
    SELECT coalesce(json_object_agg(n.nspname, (
             SELECT coalesce(json_agg(c.relname ORDER BY c.relname), '[]'::json) FROM pg_class c
             WHERE c.relnamespace = n.oid)), '{}'::json)
    FROM pg_namespace n WHERE n.nspname ~ '^cascade_attic_'),
  'subscriptions', (
    SELECT coalesce(json_agg(s.subname ORDER BY s.subname), '[]'::json)
    FROM pg_subscription s WHERE s.subdbid = scope.database),
  'slots', (
    SELECT coalesce(json_agg(s.slot_name ORDER BY s.slot_name), '[]'::json)
    FROM pg_replication_slots s WHERE s.database = current_database()),
  'schema_publications', coalesce(nullif(current_setting('cascade.read_schema_publications', true), ''), '{}')::json,
  'history_schemas', (
    SELECT coalesce(json_agg(r.nspname ORDER BY r.nspname), '[]'::json)
    FROM relation r WHERE r.relname = 'django_migrations' AND r.relkind IN ('r', 'p')),
  'histories', current_setting('cascade.read_histories')::json,
  -- Relations that are no tables share the names of tables: those that no table above accounts for, and of an index
  -- the table, which lies in the same schema.
  'other_names', (
    SELECT coalesce(json_agg(CASE WHEN h.oid IS NULL THEN json_build_array(n.nspname, c.relname, c.relkind)
                             ELSE json_build_array(n.nspname, c.relname, c.relkind, h.relname) END
                             ORDER BY n.nspname, c.relname),
                    '[]'::json)
    FROM namespace n
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('i', 'I', 'S', 'c')
    LEFT JOIN pg_index i ON i.indexrelid = c.oid
    LEFT JOIN pg_class h ON h.oid = i.indrelid
    WHERE (scope.names IS NULL OR n.nspname IN (SELECT json_array_elements_text(scope.names)))
      AND NOT EXISTS (SELECT FROM in_full r WHERE r.oid = i.indrelid)),
  'tables', coalesce(table_list.tables, '[]'::json)
)::text
FROM scope CROSS JOIN table_list LEFT JOIN application_role ar ON true;
COMMIT;
