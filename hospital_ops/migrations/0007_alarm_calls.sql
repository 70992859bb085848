-- Who is on duty, what a unit has set for its alarms, and who was called for which.
create table staff_duty (
    hospital_id text not null references hospital,
    unit text not null references unit,
    who text not null,
    version int not null check (version > 0),
    post text not null check (post in ('nurse', 'charge', 'physician')),
    beds text[] not null default '{}',
    second text[] not null default '{}',       -- beds where this nurse is called second
    since timestamptz not null,
    until timestamptz not null,                -- it ends by itself; not after `since`: signed off
    primary key (unit, who)
);
create table alarm_site (
    hospital_id text not null references hospital,
    unit text primary key references unit,
    version int not null check (version > 0),
    reminder_s int not null,
    physician_s int not null,
    changed_by text not null,
    changed_at timestamptz not null
);
-- An archive of the store reader, as alert_event: a call, and again when it was read.
create table alarm_call (
    hospital_id text not null,
    unit text not null,
    alarm_id uuid not null,
    bed text not null,
    post text not null,
    who text not null,
    at timestamptz not null,
    read_at timestamptz,
    mode text not null,
    entry_id text not null,
    primary key (alarm_id, who, entry_id)
);
create index alarm_call_unit on alarm_call (unit, at);

do $$
declare
    place text;
begin
    foreach place in array array['staff_duty', 'alarm_site', 'alarm_call'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
        execute format('create policy app_scope on %I to app'
                       ' using (in_hospital(hospital_id) and in_unit(unit))'
                       ' with check (in_hospital(hospital_id) and in_unit(unit))', place);
    end loop;
end $$;
grant select, insert, update on staff_duty, alarm_site to app;
grant select on alarm_call to app;
grant select, insert on alarm_call to writer;
