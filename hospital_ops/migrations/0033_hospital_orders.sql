-- Orders of the hospital's own system, as it said them (decision 0054). Only sayings are kept, and
-- only added: where an order stands is found from them by the rules of icu/bedside_orders.py. No row
-- of native_order belongs to them, so nothing done here can change one.
create table hospital_order_event (
    hospital_id text not null,
    unit text not null,
    order_id uuid not null,              -- derived from hospital, source and the number there
    version bigint not null,             -- their event time, microseconds since 1970
    said_at timestamptz not null,
    bed text not null,
    patient_id uuid,
    source text not null,
    placer text not null default '',     -- ORC-2 and ORC-3, number^namespace
    filler text not null default '',
    said text not null default '',       -- their status, in their words: ORC-1 ORC-5
    kind text not null,
    words text not null,
    priority text not null,
    due_at timestamptz,
    request text not null,               -- what we understood of it
    task text not null,
    received_at timestamptz not null,
    mode text not null,
    entry_id text not null,
    primary key (unit, entry_id),
    check (placer <> '' or filler <> '')
);
create index hospital_order_event_order on hospital_order_event (order_id, version);
create index hospital_order_event_patient on hospital_order_event (patient_id, version desc);
alter table hospital_order_event enable row level security;
alter table hospital_order_event force row level security;
create policy owner_all on hospital_order_event to owner using (true) with check (true);
create policy app_scope on hospital_order_event to app
    using (in_hospital(hospital_id) and in_unit(unit))
    with check (in_hospital(hospital_id) and in_unit(unit));
-- Read where the patient lies now, too: what was said in the unit that was left is not said anew.
create policy app_lies_here on hospital_order_event for select to app
    using (in_hospital(hospital_id) and patient_id in (
           select s.patient_id from stay s where s.ended_at is null));
grant select on hospital_order_event to app;
grant select, insert on hospital_order_event to writer;
