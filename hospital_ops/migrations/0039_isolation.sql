-- Isolation of a patient by kind, and what every unit is told of it and of allergies: flags on the
-- tiles. It goes with the patient through the house until somebody ends it or another stay begins.

create table isolation (
    isolation uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,                  -- where it was entered
    stay uuid not null references stay,
    patient_id uuid not null,
    -- Transmission-based precautions and protective environment: CDC/HICPAC 2007.
    kind text not null check (kind in ('contact', 'droplet', 'airborne', 'protective')),
    note text not null default '',                       -- on the bed's page, on no wall
    mode text not null,
    begun_by text not null,
    begun_at timestamptz not null,
    ended_by text,                                       -- a person, or who told of a new stay
    ended_at timestamptz
);
create unique index isolation_one on isolation (patient_id, kind) where ended_at is null;

alter table isolation enable row level security;
alter table isolation force row level security;
create policy owner_all on isolation to owner using (true) with check (true);
create policy app_scope on isolation to app using (in_hospital(hospital_id))
    with check (in_hospital(hospital_id) and in_unit(unit));
grant select, insert on isolation to app;
grant update (ended_by, ended_at) on isolation to app;

-- What holds for a patient, and how many acts that counts: who has seen more acts knows better.
-- Asked one after the other, so that the last one who is told of has seen all.
create function patient_flags(patient uuid)
    returns table (isolation text[], allergy boolean, version int)
    language plpgsql set search_path = public, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('flags ' || patient, 0));
    return query
    select coalesce((select array_agg(i.kind order by i.kind) from isolation i
                      where i.patient_id = patient and i.ended_at is null), '{}'),
           exists (select from allergy a where a.patient_id = patient and a.ended_at is null
                                           and a.substance <> ''),
           ((select count(*) + count(i.ended_at) from isolation i where i.patient_id = patient)
            + (select count(*) + count(a.ended_at) from allergy a
                where a.patient_id = patient))::int;
end $$;

-- The same for a unit to which somebody has come. What was entered in an earlier stay ends with the
-- admission to the next one: until then a discharge may have been a mistake.
create function patient_flags_on_arrival(hospital text, patient uuid, trigger text,
                                         at timestamptz, by text)
    returns table (isolation text[], allergy boolean, version int)
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if trigger = 'A01' then
        update isolation i set ended_by = by, ended_at = at
         where i.hospital_id = hospital and i.patient_id = patient and i.ended_at is null
           and exists (select from stay s
                        where s.hospital_id = hospital and s.patient_id = patient
                          and s.end_reason in ('discharge', 'death')
                          and s.ended_at between i.begun_at and at);
    end if;
    return query select * from patient_flags(patient);
end $$;
revoke execute on function patient_flags(uuid),
    patient_flags_on_arrival(text, uuid, text, timestamptz, text) from public;
grant execute on function patient_flags(uuid) to app;
grant execute on function patient_flags_on_arrival(text, uuid, text, timestamptz, text) to writer;
