-- Native orders: the row owns the order's state, its events are the history. A version counts up
-- with every act, so of two people at once one wins.
create table native_order (
    order_id uuid primary key,
    hospital_id text not null references hospital,
    unit text not null references unit,
    bed text not null references bed,
    patient_id uuid not null,
    kind text not null,
    words text not null,
    due_at timestamptz,
    request text not null check (request in ('draft', 'active', 'on-hold', 'completed', 'revoked',
        'entered-in-error')),
    task text not null check (task in ('requested', 'accepted', 'in-progress', 'completed',
        'rejected')),
    version int not null check (version > 0),
    placed_by text not null,
    placed_at timestamptz not null,
    changed_by text not null,
    changed_at timestamptz not null,
    mode text not null
);
create index native_order_bed on native_order (bed, placed_at desc);

create table order_event (
    order_id uuid not null references native_order,
    version int not null,
    hospital_id text not null,
    unit text not null,
    act text not null,
    request text not null,
    task text not null,
    actor text not null,
    at timestamptz not null,
    reason text not null default '',
    primary key (order_id, version)
);

do $$
declare
    place text;
begin
    foreach place in array array['native_order', 'order_event'] loop
        execute format('alter table %I enable row level security', place);
        execute format('alter table %I force row level security', place);
        execute format('create policy owner_all on %I to owner using (true) with check (true)', place);
        execute format('create policy app_scope on %I to app'
                       ' using (in_hospital(hospital_id) and in_unit(unit))'
                       ' with check (in_hospital(hospital_id) and in_unit(unit))', place);
    end loop;
end $$;
grant select, insert, update on native_order to app;
grant select, insert on order_event to app;
