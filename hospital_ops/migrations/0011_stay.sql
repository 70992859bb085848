-- What boards showed, incidents, a stay's acts, care that two people agreed on, signed documents.

-- What a board showed: revisions packed as `hospital_ops/past.py` says. Repeats of a stream that is
-- read again change nothing, so nothing here is unique.
create table board_frame (
    hospital_id text not null,
    unit text not null,
    at timestamptz not null,         -- when the first of its revisions could be seen
    whole boolean not null,          -- that first revision holds the whole board
    revisions bytea not null
) partition by range (at);
create index board_frame_seen on board_frame (unit, at);
create index board_frame_whole on board_frame (unit, at) where whole;
alter table board_frame alter revisions set storage external;
create table board_frame_default partition of board_frame default;

-- A day that is kept no longer goes as a whole.
create function drop_day(child text) returns void
    language plpgsql set lock_timeout = '300ms' as $$
begin
    execute format('drop table if exists %I', child);
end $$;
revoke execute on function drop_day(text) from public;

-- "Something is wrong here": what was seen, and the minutes around it, kept for review.
create table incident (
    incident uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    place text not null,             -- bed, or the uuid of a case
    patient_id uuid,
    kind text not null check (kind in ('value', 'alarm', 'message', 'order', 'board')),
    about text not null,             -- code of the value, id of the alarm, message or order
    at timestamptz not null,         -- the moment that was looked at
    from_at timestamptz not null,
    until_at timestamptz not null,
    seen jsonb not null,             -- what stood there
    versions jsonb not null,         -- of program and rules
    words text not null default '',
    mode text not null,
    reported_by text not null,
    reported_at timestamptz not null,
    frozen_at timestamptz,           -- null: the minutes after it are still to come
    outcome text not null default '',
    finding text not null default '',
    reviewed_by text not null default '',
    reviewed_at timestamptz,
    version int not null default 1
);
create index on incident (hospital_id, reported_at desc);
create index on incident (at) where frozen_at is null;

create table incident_copy (
    incident uuid not null references incident,
    hospital_id text not null,
    unit text not null,
    kind text not null,              -- measurement, alarm, order, message
    at timestamptz not null,
    content jsonb not null
);
create index on incident_copy (incident, kind, at);

create table incident_frame (
    incident uuid not null references incident,
    hospital_id text not null,
    unit text not null,
    at timestamptz not null,
    whole boolean not null,
    revisions bytea not null
);
create index on incident_frame (incident, at);
alter table incident_frame alter revisions set storage external;

-- Copies what lies around incidents whose last minute has been stored; answers how many.
create function incident_freeze() returns int
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    one incident;
    done int := 0;
begin
    for one in
        select i.* from incident i
         where i.frozen_at is null and i.until_at < now() and (
               i.until_at < now() - interval '15 minutes' or exists (
               select from reader_position p where p.shard = i.unit and p.stream = 'out'
                  and to_timestamp(split_part(p.position, '-', 1)::numeric / 1000) > i.until_at))
         order by i.at limit 20 for no key update skip locked
    loop
        insert into incident_frame
        select one.incident, f.hospital_id, f.unit, f.at, f.whole, f.revisions
          from board_frame f
         where f.unit = one.unit and f.at <= one.until_at and f.at >= coalesce(
               (select max(w.at) from board_frame w where w.unit = one.unit and w.whole
                   and w.at <= one.from_at and w.at > one.from_at - interval '2 days'),
               one.from_at);
        insert into incident_copy
        select one.incident, m.hospital_id, m.unit, 'measurement', m.determined_at, to_jsonb(m)
          from measurement m
         where m.place = one.place and m.determined_at between one.from_at and one.until_at;
        insert into incident_copy
        select one.incident, a.hospital_id, a.unit, 'alarm', a.at, to_jsonb(a)
          from alert_event a
         where a.bed = one.place and a.hospital_id = one.hospital_id
           and a.at between one.from_at and one.until_at;
        insert into incident_copy
        select one.incident, e.hospital_id, e.unit, 'order', e.at, to_jsonb(e)
          from order_event e join native_order o using (order_id)
         where o.bed = one.place and e.at between one.from_at and one.until_at;
        insert into incident_copy
        select one.incident, s.hospital_id, s.unit, 'message', s.at, to_jsonb(s)
          from relative_step s join relative_message r using (message)
         where r.patient_id = one.patient_id and r.hospital_id = one.hospital_id
           and s.at between one.from_at and one.until_at;
        update incident set frozen_at = now() where incident.incident = one.incident;
        done := done + 1;
    end loop;
    return done;
end $$;
revoke execute on function incident_freeze() from public;
grant execute on function incident_freeze() to writer;

-- A bed is free where it has no row; cleaning and reservations take the same one place.
alter table bed_given add column kind text not null default 'patient'
    check (kind in ('patient', 'cleaning', 'reserved'));
alter table bed_given add column words text not null default '';
alter table bed_given alter patient_id drop not null;
alter table bed_given add check (kind <> 'patient' or patient_id is not null);
delete from bed_given g using bed_given newer
 where g.hospital_id = newer.hospital_id and g.patient_id = newer.patient_id
   and (newer.given_at, newer.bed) > (g.given_at, g.bed);
create unique index bed_given_once on bed_given (hospital_id, patient_id) where kind = 'patient';
grant update, delete on bed_given to app;

-- Whoever lies in a bed has been given it, whatever stood on the map; whoever leaves gives it back.
create or replace function stay_gives_bed() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    delete from bed_given g where g.patient_id = new.patient_id and g.kind = 'patient'
        and g.hospital_id = new.hospital_id and (new.ended_at is not null or g.bed <> new.bed);
    if new.ended_at is null and exists (select from bed b where b.bed = new.bed) then
        insert into bed_given as g (bed, hospital_id, unit, patient_id, given_by, given_at)
        select b.bed, b.hospital_id, b.unit, new.patient_id, 'admission', new.moved_at
          from bed b where b.bed = new.bed
            on conflict (bed) do update set kind = 'patient', patient_id = excluded.patient_id,
               case_id = null, words = '', given_by = excluded.given_by,
               given_at = excluded.given_at
             where g.kind <> 'patient';
    end if;
    return null;
end $$;

-- Follows one event of the archive; an A02 without a new bed tells the unit that somebody left it.
create or replace function stay_follow(event patient_event) returns void
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
    if event.trigger = 'A02' and event.bed = '' then
        if open_stay.unit = event.unit and open_stay.bed = event.prior_bed then
            perform stay_end(open_stay.stay, event.event_at, 'transfer');
        end if;
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

-- What somebody did to a stay: a move, a transfer, a discharge, a death; taken back as one act.
create table stay_act (
    act uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    stay uuid not null references stay,
    patient_id uuid not null,
    kind text not null check (kind in ('move', 'transfer', 'discharge', 'death')),
    bed text not null,
    to_bed text not null default '',
    words text not null default '',
    closed jsonb not null default '{}',  -- orders and messages it closed, as they were before
    mode text not null,
    at timestamptz not null,
    made_by text not null,
    reversed_at timestamptz,
    reversed_by text not null default '',
    reversed_why text not null default ''
);
create index on stay_act (unit, at desc);
create index on stay_act (stay, at desc);

-- A message that ended with a stay may be held again where that end was an error: a physician
-- releases it or not.
create or replace function relative_message_moves() returns trigger language plpgsql as $$
begin
    if new.state <> old.state and not (old.state, new.state) in (
        ('held', 'due'), ('held', 'expired'), ('held', 'cancelled'),
        ('due', 'sending'), ('due', 'held'), ('due', 'expired'), ('due', 'cancelled'),
        ('sending', 'sent'), ('sending', 'delivered'), ('sending', 'failed'),
        ('sending', 'unknown'), ('sending', 'due'),
        ('sent', 'delivered'), ('sent', 'failed'), ('cancelled', 'held'),
        ('unknown', 'sent'), ('unknown', 'delivered'), ('unknown', 'failed')) then
        raise check_violation using message = 'no message goes from ' || old.state || ' to ' || new.state;
    end if;
    return new;
end $$;

-- Treatment limits and comfort care: proposed by one person, in force with a second one.
create table care_agreement (
    agreement uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    stay uuid not null references stay,
    patient_id uuid not null,
    kind text not null check (kind in ('treatment_limits', 'comfort_care')),
    limits text[] not null default '{}',
    words text not null default '',
    state text not null check (state in ('proposed', 'in_force', 'ended')),
    mode text not null,
    proposed_by text not null,
    proposed_at timestamptz not null,
    confirmed_by text,
    confirmed_at timestamptz,
    ended_by text,
    ended_at timestamptz,
    version int not null default 1,
    check (confirmed_by <> proposed_by),
    check (state <> 'in_force' or confirmed_by is not null)
);
create unique index care_agreement_one on care_agreement (stay, kind)
    where state in ('proposed', 'in_force');

-- Somebody looked at the wristband: a monitor that names another number is this patient's.
alter table binding add column also text not null default '';

-- Shift reports and summaries as they were signed; a correction is a new one.
create table signed_document (
    document uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    bed text not null,
    stay uuid not null references stay,
    patient_id uuid not null,
    kind text not null check (kind in ('shift', 'transfer', 'discharge', 'death')),
    from_at timestamptz not null,
    until_at timestamptz not null,
    language text not null,
    content jsonb not null,          -- the data as they were shown
    words jsonb not null,            -- what the signer wrote
    digest bytea not null,           -- sha256 of both
    mode text not null,
    signed_by text not null,
    signed_at timestamptz not null,
    replaces uuid references signed_document
);
create index on signed_document (bed, signed_at desc);

do $$
declare
    place text;
begin
    foreach place in array array['board_frame', 'incident', 'incident_copy', 'incident_frame',
                                 'stay_act', 'care_agreement', 'signed_document'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
        execute format('create policy app_scope on %I to app'
                       ' using (in_hospital(hospital_id) and in_unit(unit))'
                       ' with check (in_hospital(hospital_id) and in_unit(unit))', place);
    end loop;
end $$;
grant select on board_frame to app;
grant select, insert on board_frame to writer;
grant select, insert, update on incident, stay_act, care_agreement to app;
grant select on incident_copy, incident_frame to app;
grant select, insert on signed_document to app;
