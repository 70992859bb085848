-- A bed is given to one patient (SAFETY.md I17), and beds that admissions name are registered.
create table bed_given (
    bed text primary key references bed,
    hospital_id text not null references hospital,
    unit text not null references unit,
    patient_id uuid not null,
    case_id uuid,
    given_by text not null,
    given_at timestamptz not null
);
alter table bed_given enable row level security;
alter table bed_given force row level security;
create policy owner_all on bed_given to owner using (true) with check (true);
create policy app_scope on bed_given to app using (in_hospital(hospital_id) and in_unit(unit))
    with check (in_hospital(hospital_id) and in_unit(unit));
grant select, insert on bed_given to app;

-- Whoever lies in a bed has been given it; whoever leaves gives it back.
create function stay_gives_bed() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    delete from bed_given g where g.patient_id = new.patient_id
        and g.hospital_id = new.hospital_id and (new.ended_at is not null or g.bed <> new.bed);
    if new.ended_at is null and exists (select from bed b where b.bed = new.bed) then
        insert into bed_given (bed, hospital_id, unit, patient_id, given_by, given_at)
        select b.bed, b.hospital_id, b.unit, new.patient_id, 'admission', new.moved_at
          from bed b where b.bed = new.bed
            on conflict do nothing;
    end if;
    return null;
end $$;
create trigger gives_bed after insert or update on stay
    for each row execute function stay_gives_bed();
revoke execute on function stay_gives_bed() from public;

-- An ADT may name a bed that nobody has registered: it becomes a bed of its unit.
create function adopt_beds() returns int
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    adopted int;
begin
    insert into bed (bed, hospital_id, unit, label, position)
    select distinct on (n.bed) n.bed, n.hospital_id, n.unit, n.bed, 1000
      from binding n join unit u on u.unit = n.unit and u.kind = 'icu'
     where n.patient_id is not null and not exists (select from bed b where b.bed = n.bed)
        on conflict do nothing;
    get diagnostics adopted = row_count;
    return adopted;
end $$;
revoke execute on function adopt_beds() from public;
grant execute on function adopt_beds() to writer;
