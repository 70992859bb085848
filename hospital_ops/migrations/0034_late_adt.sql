-- A late ADT files anew what was stored between its event and its arrival. The rows stay as they
-- came; a refiling says from when to when a place is whose, and can be taken back.

-- Whom the message of a value named (PID-3): null nobody, '?' not kept, as by a store reader of the
-- version before, which may go on for a while.
alter table measurement add column named text default '?';

create table refiling (
    number bigint generated always as identity primary key,  -- of several the last one holds
    refiling uuid not null unique,
    hospital_id text not null,
    unit text not null,
    place text not null,
    from_at timestamptz not null,
    to_at timestamptz not null,
    patient_id uuid,                 -- null: from then on nobody lay there
    numbers text[] not null,         -- theirs; a value whose message named another is nobody's
    mode text not null,              -- of whoever lay there
    was uuid[] not null,             -- who was taken to lie there until then
    event text not null,             -- A01, A02 ...
    source text not null,
    told_at timestamptz not null,
    proposed boolean not null,       -- a person decides: too far back, or an admission never was
    entry_id text not null,
    decided_at timestamptz,
    decided_by text not null default '',
    reversed_at timestamptz,
    reversed_by text not null default '',
    reversed_why text not null default '',
    check (from_at < to_at)
);
create index on refiling (place, to_at);
create index on refiling (hospital_id, told_at);

alter table refiling enable row level security;
alter table refiling force row level security;
create policy owner_all on refiling to owner using (true) with check (true);
create policy app_scope on refiling to app
    using (in_hospital(hospital_id) and in_unit(unit))
    with check (in_hospital(hospital_id) and in_unit(unit));
grant select, update (decided_at, decided_by, reversed_at, reversed_by, reversed_why)
    on refiling to app;
grant select, insert on refiling to writer;

-- The refiling that holds at a place and moment: the last one that is in force.
create view refiling_in_force with (security_invoker = true) as
select * from refiling
 where reversed_at is null and (not proposed or decided_at is not null);
grant select on refiling_in_force to app, writer;

-- As `hospital_ops/refiling.py`: whose a value is by the refiling that holds there. A decision of a
-- person about a value that came without a patient stands; nobody's can be filed by a person.
create or replace view filed_measurement with (security_invoker = true) as
select m.hospital_id, m.unit, m.place,
       case when m.patient_id is null or whose.patient_id is null
            then coalesce(filed_to(m.place, m.device, m.determined_at, m.mode, m.remark),
                          whose.patient_id)
            else whose.patient_id end as patient_id,
       m.device, m.source, m.source_message_id, m.event_id, m.code, m.channel, m.value,
       m.value_text, m.physical_unit, m.determined_at, m.device_time, m.received_at, m.stored_at,
       m.validity, m.mode, m.origin, m.remark, m.entry_id, m.named
  from measurement m
  left join lateral (
       select r.refiling, r.patient_id, r.numbers, r.mode from refiling_in_force r
        where r.place = m.place and r.from_at <= m.determined_at and m.determined_at < r.to_at
        order by r.number desc limit 1) r on true
 cross join lateral (
       select case when r.refiling is null or m.named = '?' or m.patient_id = r.patient_id
                   then m.patient_id
                   when r.patient_id is null
                     or strpos(m.remark, 'the message named another patient''s bed') > 0
                     or (m.named is not null and m.named <> all (r.numbers))
                     or (r.mode = 'Real' and m.mode <> 'Real') then null
                   else r.patient_id end as patient_id) whose;

-- The same of alarms, from refiling to refiling: only of whom it took the bed from, for an alarm may
-- have come along from another bed with a beginning at which somebody else lay here.
create function filed_alarm(at_bed text, began timestamptz, stored text, of_mode text)
    returns text language plpgsql stable set search_path = public, pg_temp as $$
declare
    told text := stored;   -- whose it would be by all that was told
    whose text := stored;  -- by what is in force
    r record;
begin
    for r in select f.patient_id, f.was, f.mode, f.reversed_at is null
                    and (not f.proposed or f.decided_at is not null) as holds from refiling f
              where f.place = at_bed and f.from_at <= began and began < f.to_at order by f.number
    loop
        if told = '' or told = any (r.was::text[]) then
            told := case when r.mode = 'Real' and of_mode <> 'Real' then ''
                         else coalesce(r.patient_id::text, '') end;
            whose := case when r.holds then told else whose end;
        end if;
    end loop;
    return whose;
end $$;
revoke execute on function filed_alarm(text, timestamptz, text, text) from public;
grant execute on function filed_alarm(text, timestamptz, text, text) to app, writer;

create view filed_alert_event with (security_invoker = true) as
select a.hospital_id, a.unit, a.alarm_id, a.bed,
       case when exists (select from refiling f
                          where f.place = a.bed and f.from_at <= a.since and a.since < f.to_at)
            then filed_alarm(a.bed, a.since, a.patient_id, a.mode)
            else a.patient_id end as patient_id,
       a.rule, a.priority, a.state, a.at, a.since, a.words, a.value, a.mode, a.entry_id, a.about,
       a.limit_value, a.verdict
  from alert_event a;
grant select on filed_alert_event to app;

-- What a message gave to another patient than the one who lay there is in no trend: judged anew
-- where a refiling holds.
create or replace view trend_value with (security_invoker = true) as
select m.hospital_id, m.unit, m.place, m.code, m.mode, m.determined_at, m.value, m.physical_unit
  from measurement m
  left join lateral (
       select r.patient_id, r.numbers from refiling_in_force r
        where r.place = m.place and r.from_at <= m.determined_at and m.determined_at < r.to_at
          and m.named is distinct from '?'
        order by r.number desc limit 1) r on true
 where m.value is not null and m.validity <> 'Inv'
   and m.value not in ('Infinity', '-Infinity', 'NaN')
   and case when r.numbers is null
            then m.patient_id is not null
              or strpos(m.remark, 'the message named another patient') = 0
            else strpos(m.remark, 'the message named another patient''s bed') = 0
             and (r.patient_id is null or m.named is null or m.named = any (r.numbers)) end
   and not exists (select from correction c where c.bed = m.place and c.event_id = m.event_id
                                              and c.determined_at = m.determined_at);

-- Who decides about a refiling has its hours made anew.
grant insert on trend_again to app;
