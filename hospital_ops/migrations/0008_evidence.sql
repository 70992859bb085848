-- What an alarm rang on: its value, limit and verdict beside the event, and the curves around the
-- moment at which it began, kept for as long as the alarm itself.
alter table alert_event
    add column about text not null default '',
    add column limit_value double precision,
    add column verdict jsonb;
create index alert_event_unit on alert_event (unit, at);

create table alarm_evidence (
    alarm_id uuid primary key,
    hospital_id text not null,
    unit text not null,
    bed text not null,
    raised_at timestamptz not null,
    from_at timestamptz not null, -- on our clock, as raised_at
    to_at timestamptz not null,
    curves bytea not null, -- wave frames (docs/waveforms.md); empty: the bed sent none
    taken_at timestamptz not null
);
create index alarm_evidence_unit on alarm_evidence (unit, raised_at);
alter table alarm_evidence alter curves set storage external;

-- Limits and delays that a unit has changed from those of the table, never for a red; who approved
-- each, when, on what replay. A change is undone by its own row, not deleted.
create table unit_limit (
    change_id uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    rule text not null,
    code text not null,
    band text not null,
    limit_value double precision,
    delay_s double precision,
    reason text not null,
    replay jsonb not null,
    approved_by text not null,
    approved_at timestamptz not null,
    undone_by text,
    undone_at timestamptz,
    mode text not null,
    check (limit_value is not null or delay_s is not null)
);
create unique index unit_limit_one on unit_limit (unit, rule, code, band) where undone_at is null;

do $$
declare
    place text;
begin
    foreach place in array array['alarm_evidence', 'unit_limit'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
        execute format('create policy app_scope on %I to app'
                       ' using (in_hospital(hospital_id) and in_unit(unit))'
                       ' with check (in_hospital(hospital_id) and in_unit(unit))', place);
    end loop;
end $$;
grant select on alarm_evidence to app;
grant select, insert on alarm_evidence to writer;
grant select, insert, update on unit_limit to app;
