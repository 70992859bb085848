-- Orders of nine kinds with fields of their own, recurring, signed one by one or as a set; what was
-- checked at the signing; allergies as somebody said them at the bed; which sets the site approves.

alter table native_order
    add column details jsonb not null default '{}',      -- the fields of the kind
    add column priority text not null default 'routine'
        check (priority in ('routine', 'urgent', 'stat')),
    add column every_s int not null default 0 check (every_s >= 0),  -- 0: once
    add column times int not null default 0 check (times >= 0),      -- 0: without a number
    add column ends_at timestamptz,                      -- nothing is due after this
    add column occurrence int not null default 1 check (occurrence > 0),
    add column signed_by text,                           -- null: a draft
    add column signed_at timestamptz,
    add column signing uuid,                             -- the act in which it was signed
    add column order_set text not null default '',
    add column checks jsonb not null default '[]';
update native_order set signed_by = placed_by, signed_at = placed_at;
create index native_order_patient on native_order (patient_id, placed_at desc);
create index native_order_open on native_order (unit)
    where request in ('draft', 'active', 'on-hold');

alter table order_event
    add column occurrence int not null default 1,
    add column due_at timestamptz,                       -- what this act left due
    add column missed int not null default 0;            -- due times that passed undone

create table allergy (
    allergy uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    patient_id uuid not null,
    substance text not null,                             -- empty: none known, as somebody asked
    reaction text not null default '',
    criticality text not null check (criticality in ('low', 'high', 'unable-to-assess')),
    told_by text not null default '',                    -- patient, relatives, record ...
    recorded_by text not null,
    recorded_at timestamptz not null,
    ended_by text,                                       -- refuted, or entered in error
    ended_at timestamptz,
    end_reason text not null default '',
    mode text not null
);
create index allergy_patient on allergy (patient_id) where ended_at is null;

create table order_set_approval (
    hospital_id text not null references hospital,
    order_set text not null,
    version text not null,                               -- digest of what was approved
    approved_by text not null,
    approved_at timestamptz not null,
    withdrawn_by text,
    withdrawn_at timestamptz,
    primary key (hospital_id, order_set, version, approved_at)
);

do $$
declare
    place text;
begin
    foreach place in array array['allergy', 'order_set_approval'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
    end loop;
end $$;
-- An allergy goes with the patient through the hospital; a set is approved for the whole of it.
create policy app_scope on allergy to app using (in_hospital(hospital_id))
    with check (in_hospital(hospital_id) and in_unit(unit));
create policy app_scope on order_set_approval to app using (in_hospital(hospital_id))
    with check (in_hospital(hospital_id));
grant select, insert on allergy, order_set_approval to app;
grant update (ended_by, ended_at, end_reason) on allergy to app;
grant update (withdrawn_by, withdrawn_at) on order_set_approval to app;
