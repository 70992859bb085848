-- Limits in force: a unit's own and a patient's own in one history. Every act has its number; the
-- newest that is not undone holds, so undoing brings the former one back.
alter table unit_limit add column patient_id text not null default ''; -- empty: of the unit
alter table unit_limit add column version integer not null default 1;
alter table unit_limit add column undo_reason text;
drop index unit_limit_one;
create unique index unit_limit_one on unit_limit (unit, patient_id, rule, code, band, version);

-- What a replay has shown to somebody who may apply it: only exactly that can be applied.
create table limit_replay (
    replay_id uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    rule text not null,
    code text not null,
    band text not null,
    limit_value double precision,
    delay_s double precision,
    found jsonb not null,
    shown_to text not null,
    shown_at timestamptz not null,
    mode text not null
);
alter table limit_replay enable row level security;
alter table limit_replay force row level security;
create policy owner_all on limit_replay to owner using (true) with check (true);
create policy app_scope on limit_replay to app
    using (in_hospital(hospital_id) and in_unit(unit))
    with check (in_hospital(hospital_id) and in_unit(unit));
grant select, insert on limit_replay to app;
