-- Relatives: stays, contacts with consent, the outbox of messages and what becomes of them.
--
-- A stay follows the admissions of the archive inside the transaction that stores them, and ending
-- one cancels its messages there: no sender can claim between the two (SAFETY.md I5).

create table stay (
    stay uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    bed text not null,
    patient_id uuid not null,
    mode text not null,
    admitted_at timestamptz not null,
    moved_at timestamptz not null,
    ended_at timestamptz,
    end_reason text not null default '',       -- discharge, transfer, death, cancelled
    attending text not null default '',
    automatic boolean not null default false,  -- sent without the daily confirmation
    treatment_limited boolean not null default false,
    hold_reason text not null default '',      -- a physician holds this patient's messages
    severity text not null default '',
    severity_by text not null default '',
    severity_at timestamptz,
    version int not null default 1
);
create unique index stay_open on stay (hospital_id, patient_id) where ended_at is null;
create index on stay (unit) where ended_at is null;

create table contact (
    contact uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    stay uuid not null references stay,
    patient_id uuid not null,
    relation text not null,
    number_sealed bytea not null,
    number_key text not null,                  -- which key sealed it
    number_index bytea not null,               -- HMAC of the number, to find it without opening it
    last_two text not null,
    mobile boolean not null,
    language text not null,
    tells text not null,                       -- full, state (no figures), call (a call, no text)
    basis text not null,                       -- patient, law
    document text not null,
    named_by text not null,
    until timestamptz,                         -- consent ends; null: with the stay
    enabled_by text not null,
    enabled_at timestamptz not null,
    verified_at timestamptz,
    verified_how text not null default '',     -- code, read_back
    code_hash bytea,
    code_until timestamptz,
    code_tries int not null default 0,
    withdrawn_at timestamptz,
    withdrawn_by text not null default '',
    withdrawn_why text not null default ''     -- asked, stop_word, wrong_number, patient_decides
);
create index on contact (stay);
create index on contact (hospital_id, number_index);

create table relative_message (
    message uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    stay uuid not null references stay,
    patient_id uuid not null,
    contact uuid not null references contact,
    kind text not null check (kind in ('daily', 'admission', 'call', 'code')),
    local_date date not null,
    number_index bytea not null,
    mode text not null,
    language text not null,
    state text not null check (state in ('due', 'sending', 'sent', 'delivered', 'failed',
        'unknown', 'held', 'expired', 'cancelled')),
    reasons text[] not null default '{}',      -- why held, failed, cancelled; the first is shown
    words text not null default '',            -- the text, from the confirmation on
    parts int not null default 0,
    encoding text not null default '',
    figures int not null default 0,
    template text not null default '',         -- which wording it was made with
    forbidden text[] not null default '{}',    -- words that hold it for a physician
    statements jsonb not null default '[]',    -- where each statement comes from
    proposal jsonb not null default '{}',      -- what the rule said about the course
    dynamics text not null default '',
    severity text not null default '',
    severity_at timestamptz,
    confirmed_by text not null default '',
    confirmed_at timestamptz,
    released_by text not null default '',
    called_by text not null default '',
    called_at timestamptz,
    call_note text not null default '',
    opens_at timestamptz not null,
    closes_at timestamptz not null,
    escalated_at timestamptz,
    not_before timestamptz,                    -- after a refusal that sent nothing
    attempt uuid,                              -- token of the claim, fresh for each
    attempts int not null default 0,
    lease_until timestamptz,
    provider text not null default '',
    provider_id text not null default '',
    made_at timestamptz not null,
    changed_at timestamptz not null,
    sent_at timestamptz,
    delivered_at timestamptz,
    unique (patient_id, local_date, contact, kind),
    unique (patient_id, local_date, kind, number_index)
);
create index on relative_message (hospital_id, local_date, unit);
create index on relative_message (stay) where state in ('due', 'held');
create index on relative_message (hospital_id, state, opens_at) where state in ('due', 'sending');
create index on relative_message (provider, provider_id) where provider_id <> '';

-- The holds look for a patient's alarms.
create index alert_event_patient on alert_event (hospital_id, patient_id, at);

create table relative_step (
    message uuid not null references relative_message,
    number int not null,
    hospital_id text not null,
    unit text not null,
    at timestamptz not null,
    from_state text not null,
    to_state text not null,
    actor text not null,
    detail text not null,
    primary key (message, number)
);

create table relative_inbox (
    inbox uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    contact uuid references contact,
    kind text not null,                        -- stop, call, other
    words text not null,
    received_at timestamptz not null,
    done_at timestamptz,
    done_by text not null default ''
);

create table relative_stop (
    place text primary key,                    -- a unit, or HOSPITAL:* for the whole hospital
    hospital_id text not null references hospital,
    stopped_at timestamptz not null,
    stopped_by text not null,
    reason text not null
);

create table relative_hours (
    unit text primary key references unit,
    hospital_id text not null references hospital,
    opens time not null,
    closes time not null check (closes > opens),
    quiet_from time not null,
    quiet_until time not null,
    desk_phone text not null default '',
    desk_hours text not null default ''
);

-- Every change of state is a step, whoever makes it; a line that is not drawn is refused.
create function relative_message_steps() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_op = 'UPDATE' and new.state = old.state then
        return null;
    end if;
    insert into relative_step
    select new.message, coalesce(max(number), 0) + 1, new.hospital_id, new.unit, new.changed_at,
           case tg_op when 'INSERT' then '' else old.state end, new.state,
           coalesce(nullif(current_setting('hospital_ops.actor', true), ''), 'notify'),
           concat_ws(' ', nullif(array_to_string(new.reasons, ','), ''), nullif(new.provider, ''))
      from relative_step where message = new.message;
    return null;
end $$;
create trigger steps after insert or update on relative_message
    for each row execute function relative_message_steps();

create function relative_message_moves() returns trigger language plpgsql as $$
begin
    if new.state <> old.state and not (old.state, new.state) in (
        ('held', 'due'), ('held', 'expired'), ('held', 'cancelled'),
        ('due', 'sending'), ('due', 'held'), ('due', 'expired'), ('due', 'cancelled'),
        ('sending', 'sent'), ('sending', 'delivered'), ('sending', 'failed'),
        ('sending', 'unknown'), ('sending', 'due'),
        ('sent', 'delivered'), ('sent', 'failed'),
        ('unknown', 'sent'), ('unknown', 'delivered'), ('unknown', 'failed')) then
        raise check_violation using message = 'no message goes from ' || old.state || ' to ' || new.state;
    end if;
    return new;
end $$;
create trigger moves before update on relative_message
    for each row execute function relative_message_moves();

-- Ends a stay and, in the same transaction, everything that would have left for it.
create function stay_end(ended uuid, at timestamptz, reason text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if current_setting('role') = 'app' and not exists (
        select from stay s where s.stay = ended and in_hospital(s.hospital_id) and in_unit(s.unit))
    then
        raise insufficient_privilege using message = 'this stay is outside the scope';
    end if;
    perform 1 from stay s where s.stay = ended for no key update;
    update stay s set ended_at = stay_end.at, end_reason = reason, version = version + 1
        where s.stay = ended and s.ended_at is null;
    update relative_message m set state = 'cancelled', reasons = array[reason],
           changed_at = greatest(m.changed_at, stay_end.at)
        where m.stay = ended and m.state in ('due', 'held');
end $$;

-- Follows one event of the archive (A01 admits, A02 moves, A03 discharges, A11 and A13 undo).
create function stay_follow(event patient_event) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    open_stay stay;
    place text := coalesce((select b.unit from bed b where b.bed = event.bed), event.unit);
begin
    select * into open_stay from stay s where s.hospital_id = event.hospital_id
        and s.patient_id = event.patient_id and s.ended_at is null for no key update;
    if open_stay.stay is not null and event.event_at < open_stay.moved_at then
        return;  -- late news about an earlier time
    end if;
    if event.trigger in ('A03', 'A11') then
        if open_stay.stay is not null then
            perform stay_end(open_stay.stay, event.event_at,
                             case event.trigger when 'A03' then 'discharge' else 'cancelled' end);
        end if;
        return;
    end if;
    if event.trigger not in ('A01', 'A02', 'A13')
        or not exists (select from unit u where u.unit = place) then
        return;
    end if;
    if open_stay.stay is not null and open_stay.unit = place then
        update stay s set bed = event.bed, moved_at = event.event_at where s.stay = open_stay.stay;
        return;
    end if;
    if open_stay.stay is not null then
        perform stay_end(open_stay.stay, event.event_at, 'transfer');
    end if;
    if exists (select from stay s where s.hospital_id = event.hospital_id
               and s.patient_id = event.patient_id and s.ended_at > event.event_at) then
        return;  -- an admission from before the last end
    end if;
    insert into stay (stay, hospital_id, unit, bed, patient_id, mode, admitted_at, moved_at)
    values (md5(event.hospital_id || event.patient_id || place || event.event_at)::uuid,
            event.hospital_id, place, event.bed, event.patient_id, event.mode, event.event_at,
            event.event_at) on conflict do nothing;
end $$;

create function patient_event_followed() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform stay_follow(new);
    return null;
end $$;
create trigger followed after insert on patient_event
    for each row execute function patient_event_followed();

do $$
declare
    event patient_event;
    place text;
begin
    foreach place in array array['stay', 'contact', 'relative_message', 'relative_step',
                                 'relative_inbox', 'relative_stop', 'relative_hours'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
        execute format('create policy app_scope on %I to app using (%s) with check (%2$s)', place,
                       case place when 'relative_stop' then 'in_hospital(hospital_id)'
                       else 'in_hospital(hospital_id) and in_unit(unit)' end);
    end loop;
    for event in select * from patient_event order by event_at, entry_id loop
        perform stay_follow(event);
    end loop;
end $$;

grant select, update on stay to app;
grant select, insert, update on contact, relative_message, relative_inbox to app;
grant select, insert, update, delete on relative_stop, relative_hours to app;
grant select on relative_step to app;

revoke execute on function relative_message_steps(), relative_message_moves(),
    stay_end(uuid, timestamptz, text), stay_follow(patient_event), patient_event_followed()
    from public;
grant execute on function stay_end(uuid, timestamptz, text) to app;
grant execute on function relative_message_moves() to app;
