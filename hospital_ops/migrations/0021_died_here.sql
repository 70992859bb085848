-- Somebody died in the department: an end of a case of its own, which keeps no place.
create or replace function case_ends() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if new.kind in ('handover', 'left_unseen', 'discharge', 'death_here') or not exists (
        select from case_event e where e.case_id = new.case_id
            and e.kind in ('arrival', 'takeover') and e.at <= new.at
    ) then
        delete from place_given g
            where g.case_id = new.case_id and g.hospital_id = new.hospital_id;
    end if;
    return null;
end $$;
drop trigger case_ends on case_event;
create trigger case_ends after insert on case_event
    for each row when (new.kind in ('handover', 'left_unseen', 'discharge', 'death_here',
        'cancellation', 'refusal', 'left_on_scene', 'death', 'reroute'))
    execute function case_ends();
