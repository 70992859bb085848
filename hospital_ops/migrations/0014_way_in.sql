-- The way in: what a device is called elsewhere, codes without code, who became whom, what was filed
-- when somebody was bound, and waveforms packed into blocks.

-- A gateway names devices by its own ids (an address, mostly); a model has its own codes.
alter table device add address text not null default '', add model text not null default '';
create unique index device_address on device (hospital_id, address) where address <> '';

-- A sender's code and unit, and what they mean here. Only added to: the newest version holds, the
-- others are its history; an empty key means that the code is unmapped from then on.
create table code_mapping (
    hospital_id text not null references hospital,
    scope text not null,             -- '' any sender, 'source:NAME', 'model:NAME'
    code text not null,              -- as the sender says it
    unit text not null,              -- UCUM where it is known, else as sent
    version int not null check (version > 0),
    key text not null,               -- of clinical/tables/codes.json
    reason text not null default '',
    made_by text not null,
    made_at timestamptz not null,
    primary key (hospital_id, scope, code, unit, version)
);

-- Two numbers that turned out to be one person (ADT A40), and a child and its mother.
create table patient_link (
    hospital_id text not null,
    kind text not null check (kind in ('merged', 'child')),
    patient_id uuid not null,        -- whose number ended, or the child
    mrn text not null,
    into_id uuid not null,           -- whose number goes on, or the mother
    into_mrn text not null,
    event_at timestamptz not null,
    received_at timestamptz not null,
    source text not null,
    entry_id text not null,
    primary key (hospital_id, kind, patient_id, into_id, entry_id)
);
create index on patient_link (hospital_id, into_id);

-- Everybody who is one person: the number that is asked for, and all that became it.
create function persons(wanted uuid) returns setof uuid
    language sql stable as $$
    with recursive one (patient_id) as (
        select wanted
        union
        select l.patient_id from patient_link l join one on l.into_id = one.patient_id
         where l.kind = 'merged'
    )
    select patient_id from one
$$;

-- Values without a patient that somebody has filed under one, with the bed and the time they cover.
create table filing (
    hospital_id text not null,
    unit text not null,
    place text not null,
    from_at timestamptz not null,
    to_at timestamptz not null,
    patient_id uuid not null,
    mrn text not null,
    filed_by text not null,
    filed_at timestamptz not null,
    entry_id text not null,
    primary key (unit, entry_id)
);
create index on filing (hospital_id, patient_id);

-- Pieces of one curve, packed without loss; `low` and `high` are its pyramid's finest step, a second.
create table wave_block (
    hospital_id text not null,
    unit text not null,
    place text not null,
    patient_id uuid,
    device text not null,
    code text not null,
    channel text not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    rate_hz double precision not null,
    scale double precision not null,
    value_offset double precision not null,
    physical_unit text not null,
    mode text not null,
    coding smallint not null,
    pieces bytea not null,
    samples bytea not null,
    low bytea not null,
    high bytea not null
) partition by range (started_at);
create unique index wave_block_once on wave_block
    (place, started_at, code, channel, device, md5(samples));
create table wave_block_default partition of wave_block default;
alter table wave_block alter samples set storage external, alter pieces set storage external,
    alter low set storage external, alter high set storage external;

do $$
declare
    place text;
    scoped text;
begin
    foreach place in array array['code_mapping', 'patient_link', 'filing', 'wave_block'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
        scoped := case when place in ('filing', 'wave_block')
                       then 'in_hospital(hospital_id) and in_unit(unit)'
                       else 'in_hospital(hospital_id)' end;
        execute format('create policy app_scope on %I to app using (%s) with check (%s)',
                       place, scoped, scoped);
    end loop;
end $$;

grant select on code_mapping, patient_link, filing, wave_block to app;
grant insert on code_mapping to app;
grant select on code_mapping to writer;
grant select, insert on patient_link, filing to writer;
