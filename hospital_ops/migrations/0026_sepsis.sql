-- The first hours of sepsis: a physician marks the recognition, people mark what was done.
create table sepsis_clock (
    clock uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    stay uuid not null references stay,
    patient_id uuid not null,
    category text not null check (category in ('shock', 'likely', 'possible_no_shock')),
    hypotension boolean not null default false,
    zero_at timestamptz not null,    -- recognition; minutes count from here
    mode text not null,
    started_by text not null,
    started_at timestamptz not null,
    ended_by text,
    ended_at timestamptz
);
create unique index sepsis_clock_one on sepsis_clock (stay) where ended_at is null;

create table sepsis_done (
    clock uuid not null references sepsis_clock,
    hospital_id text not null,
    unit text not null,
    element text not null,
    at timestamptz not null,
    noted_by text not null,
    noted_at timestamptz not null,
    undone_by text,
    undone_at timestamptz
);
create unique index sepsis_done_once on sepsis_done (clock, element) where undone_at is null;

do $$
declare
    place text;
begin
    foreach place in array array['sepsis_clock', 'sepsis_done'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
        execute format('create policy app_scope on %I to app'
                       ' using (in_hospital(hospital_id) and in_unit(unit))'
                       ' with check (in_hospital(hospital_id) and in_unit(unit))', place);
    end loop;
end $$;
grant select, insert, update on sepsis_clock, sepsis_done to app;
