-- Who may do what: the scope, the functions that do one thing for those who may not, the grants.
--
-- The scope of a transaction: set_config('hospital_ops.hospital', id, true) and
-- set_config('hospital_ops.units', '*' or 'h1-icu-1,h1-ed', true). Unset gives no rows.

create function in_hospital(hospital text) returns boolean
    language sql stable parallel safe
    return hospital = nullif(current_setting('hospital_ops.hospital', true), '');

create function in_unit(unit text) returns boolean
    language sql stable parallel safe
    return current_setting('hospital_ops.units', true) = '*'
        or unit = any (string_to_array(nullif(current_setting('hospital_ops.units', true), ''), ','));

-- What a row's hash covers besides the hash before it: everything.
create function audit_text(shard text, hospital_id text, number bigint, at timestamptz, actor text,
                           role text, action text, subject text, detail text) returns bytea
    language sql stable
    return convert_to(jsonb_build_array(shard, hospital_id, number, extract(epoch from at)::text,
                                        actor, role, action, subject, detail)::text, 'UTF8');

create function audit_append(shard text, hospital_id text, at timestamptz, actor text, role text,
                             action text, subject text, detail text) returns bigint
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    head audit_head;
    next_hash bytea;
begin
    -- Inside, the current role is the owner; the setting still names the caller's.
    if current_setting('role') = 'app' and in_hospital(audit_append.hospital_id) is not true then
        raise insufficient_privilege using message = 'this audit chain is outside the scope';
    end if;
    insert into audit_head values (audit_append.shard, audit_append.hospital_id, 0, ''::bytea)
        on conflict do nothing;
    select * into head from audit_head h where h.shard = audit_append.shard for update;
    if head.hospital_id <> audit_append.hospital_id then
        raise insufficient_privilege using message = 'this audit chain is of another hospital';
    end if;
    next_hash := sha256(head.hash || audit_text(audit_append.shard, audit_append.hospital_id,
        head.number + 1, audit_append.at, audit_append.actor, audit_append.role,
        audit_append.action, audit_append.subject, audit_append.detail));
    insert into audit values (audit_append.shard, head.number + 1, audit_append.hospital_id,
        audit_append.at, audit_append.actor, audit_append.role, audit_append.action,
        audit_append.subject, audit_append.detail, head.hash, next_hash);
    update audit_head h set number = head.number + 1, hash = next_hash
        where h.shard = audit_append.shard;
    return head.number + 1;
end $$;

-- Signing in happens before a scope is known: only this function may look.
create function account_for_sign_in(wanted text)
    returns table (account uuid, hospital_id text, name text, role text, units text[],
                   password_hash text, disabled boolean)
    language sql stable security definer set search_path = public, pg_temp as $$
    select a.account, a.hospital_id, a.name, a.role, a.units, a.password_hash,
           a.disabled_at is not null
      from account a where a.name = wanted
$$;

-- The keeper's one act: a day made beside its table, filled with what waits in the default partition,
-- and attached. One call, because attaching locks the default partition. False: it was there.
create function make_day(parent text, time_column text, rest text, child text, first timestamptz,
                         following timestamptz) returns boolean
    language plpgsql set lock_timeout = '300ms' set timezone = 'UTC' as $$
begin
    perform pg_advisory_xact_lock(hashtext('hospital_ops.make_day'));
    if to_regclass(format('%I', child)) is not null then
        return false;
    end if;
    -- LIKE takes over columns, defaults, storage and indexes; neither grants nor policies.
    execute format('create table %I (like %I including all)', child, parent);
    -- Nobody may add a row of that day between moving and attaching.
    execute format('lock table %I in access exclusive mode', rest);
    execute format('with moved as (delete from %I where %I >= %L and %I < %L returning *) '
                   'insert into %I select * from moved',
                   rest, time_column, first, time_column, following, child);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)',
                   parent, child, first, following);
    return true;
end $$;
revoke execute on function make_day(text, text, text, text, timestamptz, timestamptz) from public;

-- Who may do what ---------------------------------------------------------------------------------------

do $$
declare
    place text;
    scoped text;
begin
    for i in 0..7 loop
        execute format('create table identity_%s partition of identity for values with '
                       '(modulus 8, remainder %s)', i, i);
    end loop;
    foreach place in array array['hospital', 'unit', 'bed', 'device', 'account', 'session',
        'triage_decision', 'outbox', 'message', 'identity', 'measurement',
        'waveform', 'patient_event', 'binding', 'case_event', 'assessment', 'alert_event',
        'quarantine', 'dead_letter', 'reader_position', 'audit', 'audit_head'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
        -- Tables that name a unit are read within the units of the user, the others by hospital.
        if place in ('unit', 'bed', 'triage_decision', 'message', 'measurement', 'waveform',
                     'patient_event', 'binding', 'case_event', 'assessment', 'alert_event',
                     'quarantine', 'dead_letter') then
            scoped := 'in_hospital(hospital_id) and in_unit(unit)';
        else
            scoped := 'in_hospital(hospital_id)';
        end if;
        execute format('create policy app_scope on %I to app using (%s) with check (%s)',
                       place, scoped, scoped);
    end loop;
end $$;

grant usage on schema public to app, writer;

-- Nobody reads a password hash but account_for_sign_in.
grant select on hospital, unit, bed, device, session, triage_decision, message, measurement,
    waveform, patient_event, binding, case_event, assessment, alert_event, quarantine, dead_letter,
    reader_position, audit to app;
grant select (account, hospital_id, name, role, units, made_at, disabled_at) on account to app;
grant insert, update on hospital, unit, bed, device, account, session to app;
grant insert on triage_decision, outbox to app;
grant select, insert, delete on sign_in_failure to app;
grant select, insert, update on heartbeat to app, writer;

grant select on hospital, unit, bed, device, session, triage_decision to writer;
grant select (account, hospital_id, name, role, units, disabled_at) on account to writer;
grant select, insert on message, identity, measurement, waveform, patient_event, binding,
    case_event, assessment, alert_event, quarantine, dead_letter to writer;
grant select, insert, update on reader_position, lease to writer;
grant select, update (appended_at, appended_as) on outbox to writer;

revoke execute on function
    audit_append(text, text, timestamptz, text, text, text, text, text),
    account_for_sign_in(text) from public;
grant execute on function audit_append(text, text, timestamptz, text, text, text, text, text)
    to app, writer;
grant execute on function account_for_sign_in(text) to app;
