\set ON_ERROR_STOP on
\encoding UTF8
-- cascade plan 2cbfac70 for the database arena, read at 2026-11-27T12:42:43Z as migrator.
-- Tables belong to the schema public; pages run as app_user.
-- To be run by the owner of the tables, or a superuser.
-- Healthy tables locked too: none.
-- What is between BEGIN and COMMIT is one transaction: it holds as a whole, or nothing is changed.

BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL lock_timeout = '2s';
-- Definitions below are spelled for this path.
SET LOCAL search_path = pg_catalog, pg_temp;
DO $cascade$
BEGIN
  IF NOT pg_try_advisory_xact_lock(27973170910815333) THEN
    RAISE EXCEPTION USING MESSAGE = 'nothing was changed: another repair of this database is at work';
  END IF;
END
$cascade$;
LOCK TABLE public.django_migrations IN SHARE ROW EXCLUSIVE MODE;

-- Is everything still as it was read?
DO $cascade$
DECLARE
  problems text;
BEGIN
  IF current_database() <> 'arena' THEN
    RAISE EXCEPTION USING MESSAGE = 'nothing was changed: this plan is for the database arena, and this is ' || quote_ident(current_database());
  END IF;
  SELECT string_agg(found.problem, '; ' ORDER BY found.problem) INTO problems FROM (
    SELECT format('there is no schema %I', v.part1)
    FROM (VALUES
      ('public')
    ) AS v (part1)
    WHERE NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = v.part1)
    UNION ALL
    SELECT format('there is no table %I.%I', v.part1, v.part2)
    FROM (VALUES
      ('public', 'teams_teammembership'),
      ('test_schema', 'user_profile_about_item'),
      ('test_schema', 'user_profile_bounty'),
      ('test_schema', 'user_profile_bounty_participant'),
      ('test_schema', 'user_profile_bounty_result'),
      ('test_schema', 'user_profile_endorsement_opportunity'),
      ('test_schema', 'user_profile_skill_endorsement'),
      ('test_schema', 'user_profile_stream_config')
    ) AS v (part1, part2)
    WHERE NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = v.part1 AND c.relname = v.part2 AND c.relkind IN ('r', 'p'))
    UNION ALL
    SELECT format('%I.%I is there already', v.part1, v.part2)
    FROM (VALUES
      ('public', 'user_profile_about_item'),
      ('public', 'user_profile_bounty'),
      ('public', 'user_profile_bounty_participant'),
      ('public', 'user_profile_bounty_result'),
      ('public', 'user_profile_endorsement_opportunity'),
      ('public', 'user_profile_skill_endorsement'),
      ('public', 'user_profile_stream_config')
    ) AS v (part1, part2)
    WHERE EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = v.part1 AND c.relname = v.part2)
    UNION ALL
    SELECT format('%I.%I has a column %I already', v.part1, v.part2, v.part3)
    FROM (VALUES
      ('public', 'teams_teammembership', 'left_at')
    ) AS v (part1, part2, part3)
    WHERE EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = v.part1 AND c.relname = v.part2 AND a.attname = v.part3 AND NOT a.attisdropped)
  ) AS found (problem);
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING MESSAGE = 'nothing was changed: ' || problems,
      HINT = 'The database is not as it was when the plan was made. Make a new one with cascade plan.';
  END IF;
END
$cascade$;
-- From here on nobody changes what the steps repair.
LOCK TABLE public.teams_teammembership IN ACCESS EXCLUSIVE MODE;
LOCK TABLE test_schema.user_profile_about_item IN ACCESS EXCLUSIVE MODE;
LOCK TABLE test_schema.user_profile_bounty IN ACCESS EXCLUSIVE MODE;
LOCK TABLE test_schema.user_profile_bounty_participant IN ACCESS EXCLUSIVE MODE;
LOCK TABLE test_schema.user_profile_bounty_result IN ACCESS EXCLUSIVE MODE;
LOCK TABLE test_schema.user_profile_endorsement_opportunity IN ACCESS EXCLUSIVE MODE;
LOCK TABLE test_schema.user_profile_skill_endorsement IN ACCESS EXCLUSIVE MODE;
LOCK TABLE test_schema.user_profile_stream_config IN ACCESS EXCLUSIVE MODE;
-- Is every table defined as it was? Columns, constraints and indexes, by a digest of their definitions.
DO $cascade$
DECLARE
  problems text;
BEGIN
  WITH planned (schema, name, digest) AS (VALUES
      ('public', 'teams_teammembership', 'cfd1c6c95f546bebbf579752781ba0f4'),
      ('test_schema', 'user_profile_about_item', '9911fe401a0982fa4e565562e66dc408'),
      ('test_schema', 'user_profile_bounty', '609107ddd954a96bfe215468ae57be0b'),
      ('test_schema', 'user_profile_bounty_participant', '7c958123a3e5a97942f800d9766ef1a9'),
      ('test_schema', 'user_profile_bounty_result', 'fa8bed71cfb3b867504532a5b57fd53b'),
      ('test_schema', 'user_profile_endorsement_opportunity', '1a84f3bb9b1bb7862af664f8fbea0447'),
      ('test_schema', 'user_profile_skill_endorsement', '458f705d4b0e605e8eeee6af866c26af'),
      ('test_schema', 'user_profile_stream_config', '2c33559ddb62cff0b38b77bc7d50198d')
  ), touched AS (
    SELECT c.oid, p.* FROM planned p JOIN pg_namespace n ON n.nspname = p.schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.name
  ), part (oid, definition) AS (
    SELECT t.oid, 'column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
           || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
           || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') || ' '
           || a.attidentity::text || a.attgenerated::text
    FROM touched t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT t.oid, 'constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
    FROM touched t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'u', 'c', 'f', 'x', 'n')
    UNION ALL
    SELECT t.oid, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
    FROM touched t JOIN pg_index i ON i.indrelid = t.oid
  ), found AS (
    SELECT oid, md5(string_agg(definition, E'\n' ORDER BY definition COLLATE "C")) AS digest
    FROM part GROUP BY oid
  )
  SELECT string_agg(format('%I.%I', t.schema, t.name), ', ' ORDER BY t.schema, t.name) INTO problems
  FROM touched t LEFT JOIN found f ON f.oid = t.oid WHERE t.digest IS DISTINCT FROM f.digest;
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING MESSAGE = 'nothing was changed: not defined as it was read: ' || problems,
      HINT = 'Make a new plan with cascade plan.';
  END IF;
END
$cascade$;
DO $cascade$
BEGIN
  PERFORM set_config('cascade.moved_1', (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('test_schema.user_profile_about_item')), true);
  PERFORM set_config('cascade.moved_2', (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('test_schema.user_profile_stream_config')), true);
  PERFORM set_config('cascade.moved_3', (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('test_schema.user_profile_skill_endorsement')), true);
  PERFORM set_config('cascade.moved_4', (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('test_schema.user_profile_endorsement_opportunity')), true);
  PERFORM set_config('cascade.moved_5', (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('test_schema.user_profile_bounty')), true);
  PERFORM set_config('cascade.moved_6', (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('test_schema.user_profile_bounty_participant')), true);
  PERFORM set_config('cascade.moved_7', (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('test_schema.user_profile_bounty_result')), true);
END
$cascade$;

-- Step 1 of 8: move_table:public.user_profile_about_item
--   cures misplaced_table:public.user_profile_about_item; made by user_profile.0033_about_item: CreateModel AboutItem, applied 2026-11-27T12:42:42.744967+00:00
ALTER TABLE test_schema.user_profile_about_item SET SCHEMA public;

-- Step 2 of 8: move_table:public.user_profile_stream_config
--   cures misplaced_table:public.user_profile_stream_config; made by user_profile.0035_stream_config: CreateModel StreamConfig, applied 2026-11-27T12:42:42.757939+00:00
ALTER TABLE test_schema.user_profile_stream_config SET SCHEMA public;

-- Step 3 of 8: move_table:public.user_profile_skill_endorsement
--   cures misplaced_table:public.user_profile_skill_endorsement; made by user_profile.0037_p0_skill_endorsements: CreateModel SkillEndorsement, applied 2026-11-27T12:42:42.819143+00:00
ALTER TABLE test_schema.user_profile_skill_endorsement SET SCHEMA public;

-- Step 4 of 8: move_table:public.user_profile_endorsement_opportunity
--   cures misplaced_table:public.user_profile_endorsement_opportunity; made by user_profile.0037_p0_skill_endorsements: CreateModel EndorsementOpportunity, applied 2026-11-27T12:42:42.819143+00:00
ALTER TABLE test_schema.user_profile_endorsement_opportunity SET SCHEMA public;

-- Step 5 of 8: move_table:public.user_profile_bounty
--   cures misplaced_table:public.user_profile_bounty; made by user_profile.0038_bounties: CreateModel Bounty, applied 2026-11-27T12:42:42.86096+00:00
ALTER TABLE test_schema.user_profile_bounty SET SCHEMA public;

-- Step 6 of 8: move_table:public.user_profile_bounty_participant
--   cures misplaced_table:public.user_profile_bounty_participant; made by user_profile.0038_bounties: CreateModel BountyParticipant, applied 2026-11-27T12:42:42.86096+00:00
ALTER TABLE test_schema.user_profile_bounty_participant SET SCHEMA public;

-- Step 7 of 8: move_table:public.user_profile_bounty_result
--   cures misplaced_table:public.user_profile_bounty_result; made by user_profile.0039_bounty_result: CreateModel BountyResult, applied 2026-11-27T12:42:42.879632+00:00
ALTER TABLE test_schema.user_profile_bounty_result SET SCHEMA public;

-- Step 8 of 8: add_column:public.teams_teammembership.left_at
--   cures missing_column:public.teams_teammembership.left_at; made by teams.0003_teammembership_left_at: AddField teammembership.left_at, applied 2026-11-27T12:42:43.628958+00:00
ALTER TABLE public.teams_teammembership ADD COLUMN left_at timestamp with time zone;

-- Did every step do what it should?
DO $cascade$
DECLARE
  problems text;
BEGIN
  IF current_database() <> 'arena' THEN
    RAISE EXCEPTION USING MESSAGE = 'nothing was changed: this is for the database arena, and this is ' || quote_ident(current_database());
  END IF;
  SELECT string_agg(found.step, '; ' ORDER BY found.step) INTO problems FROM (
    SELECT 'move_table:public.user_profile_about_item' WHERE NOT coalesce(to_regclass('public.user_profile_about_item') IS NOT NULL AND (coalesce(current_setting('cascade.moved_1', true), '') = '' OR (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('public.user_profile_about_item')) = current_setting('cascade.moved_1', true)), false)
    UNION ALL
    SELECT 'move_table:public.user_profile_stream_config' WHERE NOT coalesce(to_regclass('public.user_profile_stream_config') IS NOT NULL AND (coalesce(current_setting('cascade.moved_2', true), '') = '' OR (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('public.user_profile_stream_config')) = current_setting('cascade.moved_2', true)), false)
    UNION ALL
    SELECT 'move_table:public.user_profile_skill_endorsement' WHERE NOT coalesce(to_regclass('public.user_profile_skill_endorsement') IS NOT NULL AND (coalesce(current_setting('cascade.moved_3', true), '') = '' OR (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('public.user_profile_skill_endorsement')) = current_setting('cascade.moved_3', true)), false)
    UNION ALL
    SELECT 'move_table:public.user_profile_endorsement_opportunity' WHERE NOT coalesce(to_regclass('public.user_profile_endorsement_opportunity') IS NOT NULL AND (coalesce(current_setting('cascade.moved_4', true), '') = '' OR (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('public.user_profile_endorsement_opportunity')) = current_setting('cascade.moved_4', true)), false)
    UNION ALL
    SELECT 'move_table:public.user_profile_bounty' WHERE NOT coalesce(to_regclass('public.user_profile_bounty') IS NOT NULL AND (coalesce(current_setting('cascade.moved_5', true), '') = '' OR (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('public.user_profile_bounty')) = current_setting('cascade.moved_5', true)), false)
    UNION ALL
    SELECT 'move_table:public.user_profile_bounty_participant' WHERE NOT coalesce(to_regclass('public.user_profile_bounty_participant') IS NOT NULL AND (coalesce(current_setting('cascade.moved_6', true), '') = '' OR (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('public.user_profile_bounty_participant')) = current_setting('cascade.moved_6', true)), false)
    UNION ALL
    SELECT 'move_table:public.user_profile_bounty_result' WHERE NOT coalesce(to_regclass('public.user_profile_bounty_result') IS NOT NULL AND (coalesce(current_setting('cascade.moved_7', true), '') = '' OR (SELECT oid || ' ' || relfilenode FROM pg_class WHERE oid = to_regclass('public.user_profile_bounty_result')) = current_setting('cascade.moved_7', true)), false)
    UNION ALL
    SELECT 'add_column:public.teams_teammembership.left_at' WHERE NOT coalesce(EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('public.teams_teammembership') AND attname = 'left_at' AND NOT attisdropped), false)
  ) AS found (step);
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING MESSAGE = 'nothing was changed: not all of the steps took effect: ' || problems;
  END IF;
END
$cascade$;

COMMIT;
