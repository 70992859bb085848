-- Who is it: where a device stands, what was filed under whom by a person, a child and its mother.

-- Where people have said that a device stands: every act is a row, the newest holds.
create table device_binding (
    hospital_id text not null references hospital,
    device text not null references device,
    version int not null check (version > 0),
    bed text not null,               -- empty: from here on at no bed
    from_at timestamptz not null,    -- of the values' own time
    way text not null check (way in ('registered', 'page', 'qr')),
    made_by text not null,
    made_at timestamptz not null,
    primary key (device, version)
);
create index on device_binding (bed, from_at desc);

-- A demo, test or drill device never comes to the bed of a real patient, whoever says so.
create function device_binding_mode() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if new.bed <> '' and exists (select from device d where d.device = new.device
                                    and d.mode <> 'Real')
       and exists (select from stay s where s.bed = new.bed and s.ended_at is null
                      and s.mode = 'Real') then
        raise check_violation using message = 'a demo or test device at the bed of a real patient';
    end if;
    return new;
end $$;
create trigger device_binding_mode before insert on device_binding
    for each row execute function device_binding_mode();
revoke execute on function device_binding_mode() from public;

-- Values without a patient that a person has filed under one: of one device, for a span of time.
-- The rows of the archive stay as they are; a filing that was wrong is taken back and stays too.
drop table filing;
create table filing (
    filing uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    place text not null,
    device text not null,
    named_other boolean not null,    -- of the values whose message named another patient
    from_at timestamptz not null,
    to_at timestamptz not null,
    patient_id uuid not null,
    mrn text not null,
    mode text not null check (mode in ('Real', 'Test', 'Demo')),  -- of the patient
    filed_by text not null,
    filed_at timestamptz not null,
    reversed_at timestamptz,
    reversed_by text not null default '',
    reversed_why text not null default ''
);
create index on filing (place, device, from_at) where reversed_at is null;
create index on filing (patient_id) where reversed_at is null;
create index measurement_nobodys on measurement (place, determined_at) where patient_id is null;

-- Under whom a row without a patient was filed. What is not real is never a real patient's.
create function filed_to(of_place text, of_device text, at timestamptz, of_mode text, of_remark text)
    returns uuid language sql stable as $$
    select f.patient_id from filing f
     where f.place = of_place and f.device = of_device and f.from_at <= at and at < f.to_at
       and f.reversed_at is null and (f.mode = 'Real') = (of_mode = 'Real')
       and f.named_other = (of_remark like '%another patient%')
     limit 1
$$;
create view filed_measurement with (security_invoker = true) as
select hospital_id, unit, place,
       coalesce(patient_id, filed_to(place, device, determined_at, mode, remark)) as patient_id,
       device, source, source_message_id, event_id, code, channel, value, value_text,
       physical_unit, determined_at, device_time, received_at, stored_at, validity, mode, origin,
       remark, entry_id
  from measurement;

-- A child and its mother, as long as nobody has ended it.
create table kin (
    kin uuid primary key,
    hospital_id text not null references hospital,
    child_id uuid not null,
    child_mrn text not null,
    mother_id uuid not null,
    mother_mrn text not null,
    linked_by text not null,
    linked_at timestamptz not null,
    ended_at timestamptz,
    ended_by text not null default '',
    check (child_id <> mother_id)
);
create unique index kin_once on kin (hospital_id, child_id) where ended_at is null;
create index on kin (mother_id) where ended_at is null;

do $$
declare
    place text;
    scoped text;
begin
    foreach place in array array['device_binding', 'filing', 'kin'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
        scoped := case when place = 'filing' then 'in_hospital(hospital_id) and in_unit(unit)'
                       else 'in_hospital(hospital_id)' end;
        execute format('create policy app_scope on %I to app using (%s) with check (%s)',
                       place, scoped, scoped);
    end loop;
end $$;
grant select, insert on device_binding to app;
grant select, insert, update on filing, kin to app;
grant select on filed_measurement to app;
grant select on device_binding, filing, kin to writer;
