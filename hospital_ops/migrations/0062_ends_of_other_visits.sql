-- An end of a stay (A03, A11) under another visit than the one that goes on is not its end where it
-- is told of another place, or of none: an emergency department or a clinic closes its own visit
-- while the patient lies here. One that names the patient's bed ends the stay, whatever its visit.
create or replace function patient_event_followed() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    goes_on text;
begin
    if new.trigger in ('A03', 'A11') and new.visit <> '' then
        select e.visit into goes_on from patient_event e
         where e.hospital_id = new.hospital_id and e.patient_id = new.patient_id
           and e.trigger = 'A01' and e.event_at <= new.event_at
         order by e.event_at desc, e.entry_id desc limit 1;
        if goes_on not in ('', new.visit)
            and (not exists (select from stay s
                              where s.hospital_id = new.hospital_id and s.patient_id = new.patient_id
                                and s.ended_at is null and s.unit = new.unit
                                and new.bed in ('', s.bed))
                 or exists (select from patient_event e
                             where e.hospital_id = new.hospital_id
                               and e.patient_id = new.patient_id
                               and e.trigger = 'A01' and e.visit = new.visit)) then
            return null;
        end if;
    end if;
    perform stay_follow(new);
    return null;
end $$;
