-- What people found of alarms that the cross-check had called probably false, and what a unit has
-- enabled on the strength of it. A change is taken back by its own row, not deleted.
create table verdict_review (
    alarm_id uuid not null,
    hospital_id text not null references hospital,
    unit text not null references unit,
    rule text not null,                 -- of the alarm, also where it stayed a note
    was_false boolean not null,         -- the alarm was false: the verdict was right
    note text not null,
    reviewer text not null,
    reviewed_at timestamptz not null,
    mode text not null,
    primary key (alarm_id, reviewer)
);
create index verdict_review_unit on verdict_review (unit, rule);

-- How many reviewed verdicts are enough, and how many may be wrong: of a site, without a default.
create table silencing_site (
    hospital_id text not null references hospital,
    unit text primary key references unit,
    version int not null check (version > 0),
    least int not null check (least > 0),
    most_share double precision not null check (most_share > 0 and most_share <= 1),
    changed_by text not null,
    changed_at timestamptz not null
);

create table silencing_rule (
    change_id uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    rule text not null,
    version int not null,
    reviewed int not null,              -- what it rested on
    wrong int not null,
    upper_share double precision not null,
    reason text not null,
    enabled_by text not null,
    enabled_at timestamptz not null,
    undone_by text,
    undone_at timestamptz,
    undo_reason text,
    mode text not null,
    unique (unit, rule, version)
);

do $$
declare
    place text;
begin
    foreach place in array array['verdict_review', 'silencing_site', 'silencing_rule'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
        execute format('create policy app_scope on %I to app'
                       ' using (in_hospital(hospital_id) and in_unit(unit))'
                       ' with check (in_hospital(hospital_id) and in_unit(unit))', place);
    end loop;
end $$;
grant select, insert on verdict_review to app;
grant select, insert, update on silencing_site, silencing_rule to app;
