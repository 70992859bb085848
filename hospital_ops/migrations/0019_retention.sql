-- Retention: what may go and what has to stay. Only the role owner deletes, in small transactions,
-- each with its row in the audit; a dry run looks at the same rows with the same conditions.

-- "Nothing of this patient, or of this unit, is deleted": a claim, a complaint, an inquiry.
create table retention_hold (
    hold uuid primary key,
    hospital_id text not null references hospital,
    unit text references unit,
    patient_id uuid,
    reason text not null check (reason <> ''),
    placed_by text not null,
    placed_at timestamptz not null,
    ended_by text,
    ended_at timestamptz,
    check ((unit is null) <> (patient_id is null))
);
create index on retention_hold (hospital_id) where ended_at is null;
alter table retention_hold enable row level security;
alter table retention_hold force row level security;
create policy owner_all on retention_hold to owner using (true) with check (true);
create policy app_scope on retention_hold to app
    using (in_hospital(hospital_id) and (unit is null or in_unit(unit)))
    with check (in_hospital(hospital_id) and (unit is null or in_unit(unit)));
grant select, insert on retention_hold to app;
grant update (ended_by, ended_at) on retention_hold to app;

-- What has to stay, for this transaction: patients, and places with the time in which they were
-- theirs (an hour on either side). `place` null: the whole unit.
create function retention_gather() returns void
    language plpgsql set search_path = pg_temp, public as $$
begin
    create temporary table if not exists retention_patient
        (patient_id text primary key) on commit drop;
    create temporary table if not exists retention_kept
        (hospital_id text, unit text, place text, from_at timestamptz, until_at timestamptz)
        on commit drop;
    truncate retention_patient, retention_kept;

    -- Whoever lies here now, and whoever is under a hold; with the numbers that became theirs.
    insert into retention_patient
    select distinct p::text from (
        select s.patient_id from stay s where s.ended_at is null
        union
        select b.patient_id from (select distinct on (bed) patient_id from binding
                                   order by bed, from_at desc, entry_id desc) b
        union
        select h.patient_id from retention_hold h where h.ended_at is null
    ) one cross join lateral persons(one.patient_id) p
     where one.patient_id is not null;

    -- Their beds, as long as they were theirs.
    insert into retention_kept
    select hospital_id, unit, bed, from_at - interval '1 hour', until_at + interval '1 hour'
      from (select hospital_id, unit, bed, patient_id, from_at,
                   coalesce(lead(from_at) over (partition by bed order by from_at, entry_id),
                            'infinity') as until_at
              from binding) lying
     where patient_id::text in (select patient_id from retention_patient);
    -- What was filed under them, and their cases from before the doors.
    insert into retention_kept
    select hospital_id, unit, place, from_at - interval '1 hour', to_at + interval '1 hour'
      from filing where patient_id::text in (select patient_id from retention_patient);
    insert into retention_kept
    select distinct e.hospital_id, c.unit, e.case_id::text,
           '-infinity'::timestamptz, 'infinity'::timestamptz
      from patient_event e join case_event c on c.case_id = e.case_id
     where e.patient_id::text in (select patient_id from retention_patient);
    -- Units under a hold.
    insert into retention_kept
    select hospital_id, unit, null, '-infinity', 'infinity'
      from retention_hold where ended_at is null and unit is not null;
    -- Incidents that nobody has closed: the minutes around them.
    insert into retention_kept
    select hospital_id, unit, place, from_at - interval '1 hour', until_at + interval '1 hour'
      from incident where frozen_at is null or reviewed_at is null;
    create index if not exists retention_kept_place on retention_kept (place);
    analyze retention_kept;
end $$;

-- The condition under which a row `t` of a table has to stay. Tables without a place hold messages
-- of a whole unit: they stay for as long as anybody's time in that unit, or their hospital's hall.
create function retention_stays(leaf text, time_column text, place_column text) returns text
    language plpgsql stable set search_path = public, pg_temp as $$
declare
    condition text;
begin
    if place_column = '' then
        condition := format(
            'exists (select from retention_kept k where (k.unit = t.unit or '
            't.unit = k.hospital_id || ''-hall'') and t.%1$I >= k.from_at and t.%1$I < k.until_at)',
            time_column);
    else
        condition := format(
            'exists (select from retention_kept k where k.place = t.%2$I and t.%1$I >= k.from_at '
            'and t.%1$I < k.until_at) or exists (select from retention_kept k where k.place is null '
            'and k.unit = t.unit)', time_column, place_column);
    end if;
    if exists (select from pg_attribute where attrelid = leaf::regclass
                  and attname = 'patient_id' and not attisdropped) then
        condition := condition || ' or t.patient_id::text in (select patient_id from retention_patient)';
    end if;
    return condition;
end $$;

-- The table itself, or those of its days that may hold something from before that moment.
create function retention_leaves(target text, before timestamptz) returns setof text
    language sql stable set search_path = public, pg_temp set timezone = 'UTC' as $$
    select leaf.name from (
        select c.relname::text as name from pg_partition_tree(target::regclass) p
          join pg_class c on c.oid = p.relid where p.isleaf
        union select target where not exists (select from pg_partition_tree(target::regclass))
    ) leaf
     where leaf.name !~ '_[0-9]{8}$' or to_date(right(leaf.name, 8), 'YYYYMMDD') < before
     order by 1
$$;

-- What would go: for each leaf that holds something, how much, from when to when, what stays.
-- Bytes are the leaf's on disk, with indexes, by the share of its rows.
create function retention_look(target text, time_column text, place_column text, before timestamptz)
    returns table (leaf text, going bigint, staying bigint, bytes bigint, oldest timestamptz,
                   newest timestamptz)
    language plpgsql set search_path = pg_temp, public as $$
begin
    perform retention_gather();
    for leaf in select retention_leaves(target, before) loop
        execute format(
            'select count(*) filter (where not stays), count(*) filter (where stays), '
            'min(at) filter (where not stays), max(at) filter (where not stays) '
            'from (select t.%1$I as at, (%2$s) as stays from %3$I t where t.%1$I < $1) looked',
            time_column, retention_stays(leaf, time_column, place_column), leaf)
            into going, staying, oldest, newest using before;
        continue when going + staying = 0;
        bytes := 0;
        if going > 0 then
            execute format('select pg_total_relation_size(%L) * $1 / count(*) from %I', leaf, leaf)
                into bytes using going;
        end if;
        return next;
    end loop;
end $$;

-- One small transaction's worth of a leaf; answers how many rows went, 0 at the end. A day of which
-- nothing has to stay goes as a whole. What went is in the audit of each hospital it was of.
create function retention_delete(kind text, target text, leaf text, time_column text,
                                 place_column text, before timestamptz, at_most int) returns bigint
    language plpgsql set search_path = pg_temp, public set timezone = 'UTC'
    set lock_timeout = '300ms' as $$
declare
    gone jsonb;
    whole boolean := false;
    one record;
    total bigint := 0;
begin
    perform retention_gather();
    if leaf ~ '_[0-9]{8}$' and to_date(right(leaf, 8), 'YYYYMMDD') + 1 <= before then
        -- Nobody adds a row between the look and the drop.
        execute format('lock table %I in share row exclusive mode', leaf);
        execute format('select not exists (select from %I t where %s)', leaf,
                       retention_stays(leaf, time_column, place_column)) into whole;
    end if;
    if whole then
        execute format('select jsonb_object_agg(hospital_id, n) from (select hospital_id, '
                       'count(*) as n from %I group by 1) counted', leaf) into gone;
        perform drop_day(leaf);
    else
        execute format(
            'with doomed as (delete from %2$I where ctid = any (array(select t.ctid from %2$I t '
            'where t.%1$I < $1 and not (%3$s) limit $2)) returning hospital_id) '
            'select jsonb_object_agg(hospital_id, n) from (select hospital_id, count(*) as n '
            'from doomed group by 1) counted',
            time_column, leaf, retention_stays(leaf, time_column, place_column))
            into gone using before, at_most;
    end if;
    for one in select key, value::bigint as n from jsonb_each_text(coalesce(gone, '{}')) loop
        perform audit_append(one.key || '-hall', one.key, now(), 'retention', 'owner',
                             'retention_deleted', kind,
                             format('%s rows of %s before %s%s', one.n, target, before,
                                    case when whole then ', the whole day' else '' end));
        total := total + one.n;
    end loop;
    return total;
end $$;

revoke execute on function
    retention_gather(), retention_stays(text, text, text), retention_leaves(text, timestamptz),
    retention_look(text, text, text, timestamptz),
    retention_delete(text, text, text, text, text, timestamptz, int) from public;
