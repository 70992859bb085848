-- Values are filed by their sender's clock as the board corrects it (hospital_ops/sender_clocks.py):
-- `determined_at` is corrected, `device_time` stays as the device gave it.

-- What the store reader knows of a sender's clock at a bed, so that it goes on after a restart.
create table sender_clock (
    hospital_id text not null,
    unit text not null,
    bed text not null,
    sender text not null,            -- source and device
    offset_us bigint not null,       -- receipt minus the time of the newest value
    since timestamptz not null,      -- steady since
    last timestamptz not null,
    trusted_us bigint not null,      -- what times are corrected by
    sound boolean not null,          -- it was right when it was last known
    primary key (bed, sender)
);
create index on sender_clock (unit);
alter table sender_clock enable row level security;
alter table sender_clock force row level security;
create policy owner_all on sender_clock to owner using (true) with check (true);
create policy app_scope on sender_clock to app
    using (in_hospital(hospital_id) and in_unit(unit))
    with check (in_hospital(hospital_id) and in_unit(unit));
grant select, insert, update on sender_clock to writer;

-- A value of a clock that nobody knows, at a bed that somebody else had by the receipt, is nobody's
-- ('by its receipt another patient's bed'): as one whose device a person bound to another bed, no
-- refiling gives it to anybody, and it is in no trend, until a person files it.
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
                     or strpos(m.remark, 'another patient''s bed') > 0
                     or (m.named is not null and m.named <> all (r.numbers))
                     or (r.mode = 'Real' and m.mode <> 'Real') then null
                   else r.patient_id end as patient_id) whose;

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
             and strpos(m.remark, 'another patient''s bed') = 0
            else strpos(m.remark, 'another patient''s bed') = 0
             and (r.patient_id is null or m.named is null or m.named = any (r.numbers)) end
   and not exists (select from correction c where c.bed = m.place and c.event_id = m.event_id
                                              and c.determined_at = m.determined_at);

-- An end of a stay (A03, A11) that is told after the next one has begun, under another visit, ends
-- nothing: the admission has done so (hospital_ops/bindings.py). A visit that nobody has heard of
-- ends the stay that there is.
create or replace function patient_event_followed() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    goes_on text;
begin
    if new.trigger in ('A03', 'A11') and new.visit <> '' then
        select e.visit into goes_on from patient_event e
         where e.hospital_id = new.hospital_id and e.patient_id = new.patient_id
           and e.trigger = 'A01' and e.event_at <= new.event_at
         order by e.event_at desc, e.entry_id desc limit 1;
        if goes_on not in ('', new.visit)
            and exists (select from patient_event e
                         where e.hospital_id = new.hospital_id and e.patient_id = new.patient_id
                           and e.trigger = 'A01' and e.visit = new.visit) then
            return null;
        end if;
    end if;
    perform stay_follow(new);
    return null;
end $$;

-- Results that their sender has corrected, deleted or called wrong (OBX-11 C, D, W), the last word
-- about each moment: what it overtook on the way and comes after it holds no more than what came
-- before it.
create table result_word (
    hospital_id text not null,
    unit text not null,
    bed text not null,
    source text not null,
    code text not null,
    channel text not null,
    determined_at timestamptz not null,
    event_id uuid not null,
    replaced_by uuid,                -- null: deleted or wrong
    value double precision,
    value_text text,
    at timestamptz not null,
    reason text not null,
    entry_id text not null,
    primary key (bed, source, code, channel, determined_at)
);
create index on result_word (unit, determined_at);
alter table result_word enable row level security;
alter table result_word force row level security;
create policy owner_all on result_word to owner using (true) with check (true);
create policy app_scope on result_word to app
    using (in_hospital(hospital_id) and in_unit(unit))
    with check (in_hospital(hospital_id) and in_unit(unit));
grant select, insert, update on result_word to writer;
