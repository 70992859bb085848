-- A bed that an admission names belongs to its unit: where another unit has a bed of that name, the
-- unit goes before it in the id (streams/routing.py); the label is what the hospital's system says.
create or replace function adopt_beds() returns int
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    adopted int;
begin
    insert into bed (bed, hospital_id, unit, label, position)
    select distinct on (n.bed) n.bed, n.hospital_id, n.unit,
           case when starts_with(n.bed, n.unit || '-') and length(n.bed) > length(n.unit) + 1
                then substr(n.bed, length(n.unit) + 2) else n.bed end, 1000
      from binding n join unit u on u.unit = n.unit and u.kind = 'icu'
     where n.patient_id is not null and not exists (select from bed b where b.bed = n.bed)
        on conflict do nothing;
    get diagnostics adopted = row_count;
    return adopted;
end $$;

-- Whoever lies in a bed of their hospital has been given it, whatever stood on the map; whoever
-- leaves gives it back. The bed map of one hospital never shows another's patient.
create or replace function stay_gives_bed() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    delete from bed_given g where g.patient_id = new.patient_id and g.kind = 'patient'
        and g.hospital_id = new.hospital_id and (new.ended_at is not null or g.bed <> new.bed);
    if new.ended_at is null then
        insert into bed_given as g (bed, hospital_id, unit, patient_id, given_by, given_at)
        select b.bed, b.hospital_id, b.unit, new.patient_id, 'admission', new.moved_at
          from bed b where b.bed = new.bed and b.hospital_id = new.hospital_id
            on conflict (bed) do update set kind = 'patient', patient_id = excluded.patient_id,
               case_id = null, words = '', given_by = excluded.given_by,
               given_at = excluded.given_at
             where g.kind <> 'patient';
    end if;
    return null;
end $$;

-- Who was shown in a bed of another hospital.
delete from bed_given g
 where g.kind = 'patient' and g.given_by = 'admission'
   and exists (select from stay s where s.patient_id = g.patient_id and s.bed = g.bed
                                    and s.hospital_id <> g.hospital_id and s.ended_at is null)
   and not exists (select from stay s where s.patient_id = g.patient_id
                                        and s.hospital_id = g.hospital_id and s.ended_at is null);
