-- What holds of what was measured and charted: a value that was entered in error, or replaced by
-- another one, is kept and stands nowhere as a value. Whoever asks for values of a patient asks
-- this view; who tells what happened to a value asks `filed_measurement` and `correction`.
create view measurement_in_force with (security_invoker = true) as
select m.hospital_id, m.unit, m.place, m.patient_id, m.device, m.source, m.source_message_id,
       m.event_id, m.code, m.channel, m.value, m.value_text, m.physical_unit, m.determined_at,
       m.device_time, m.received_at, m.stored_at, m.validity, m.mode, m.origin, m.remark,
       m.entry_id, m.named
  from filed_measurement m
 where not exists (select from correction c where c.bed = m.place and c.event_id = m.event_id
                                              and c.determined_at = m.determined_at);
grant select on measurement_in_force to app;

-- A charted value is corrected once. Who comes first is known by this row, in the transaction in
-- which the correction goes into the stream: the archive learns of it a moment later.
create table correction_asked (
    bed text not null,
    event_id uuid not null,          -- of the value that does not hold
    hospital_id text not null,
    unit text not null,
    actor text not null,
    at timestamptz not null,
    primary key (bed, event_id)
);
alter table correction_asked enable row level security;
alter table correction_asked force row level security;
create policy owner_all on correction_asked to owner using (true) with check (true);
create policy app_scope on correction_asked to app
    using (in_hospital(hospital_id) and in_unit(unit))
    with check (in_hospital(hospital_id) and in_unit(unit));
grant select, insert on correction_asked to app;
