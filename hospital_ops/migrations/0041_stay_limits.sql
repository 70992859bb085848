-- A new stay begins with the limits of the unit: own limits of an earlier stay there end with it,
-- whichever way the patient comes. Where the row follows a discharge or a move that was taken back
-- (A13, A12), the stay that was goes on, and so do its limits.
create function stay_begins() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if not exists (select from patient_event e
                    where e.hospital_id = new.hospital_id and e.patient_id = new.patient_id
                      and e.event_at = new.admitted_at and e.trigger in ('A12', 'A13')) then
        update unit_limit l set undone_by = 'system', undone_at = new.admitted_at,
               undo_reason = 'another stay'
         where l.unit = new.unit and l.patient_id = new.patient_id::text
           and l.undone_at is null and l.approved_at < new.admitted_at;
    end if;
    return null;
end $$;
create trigger stay_begins after insert on stay for each row execute function stay_begins();
revoke execute on function stay_begins() from public;
