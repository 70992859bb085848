-- A case that was rerouted on its way is read where it is now, with what was stored of it before.

-- How many decisions there are of a case, in whatever department.
create function case_decisions(wanted uuid) returns int
    language sql stable security definer set search_path = public, pg_temp as $$
    select coalesce(max(version), 0) from triage_decision where case_id = wanted
$$;

-- Whether the caller's departments are where a case has come to from another one.
create function case_came_here(wanted uuid) returns boolean
    language sql stable security definer set search_path = public, pg_temp as $$
    select exists (select from case_event e where e.case_id = wanted and e.kind = 'entered'
                      and in_hospital(e.hospital_id) and in_unit(e.unit))
$$;

create function case_readings(wanted uuid)
    returns table (code text, value double precision, physical_unit text,
                   determined_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $$
    select m.code, m.value, m.physical_unit, m.determined_at from measurement m
     where m.place = wanted::text and m.validity <> 'Inv' and m.value is not null
       and (in_hospital(m.hospital_id) and in_unit(m.unit) or case_came_here(wanted))
$$;

create function case_ecg(wanted uuid, ecg text) returns bytea
    language sql stable security definer set search_path = public, pg_temp as $$
    select m.entry from waveform w join message m
        on m.received_at = w.received_at and m.unit = w.unit and m.entry_id = w.entry_id
     where w.place = wanted::text and w.channel = ecg and m.kind = 'ecg'
       and (in_hospital(w.hospital_id) and in_unit(w.unit) or case_came_here(wanted)) limit 1
$$;

create function case_picture(wanted uuid, ecg text) returns bytea
    language sql stable security definer set search_path = public, pg_temp as $$
    select m.raw from case_event c join message m
        on m.received_at = c.at and m.unit = c.unit and m.entry_id = c.entry_id
     where c.case_id = wanted and c.kind = 'ecg_picture' and c.payload ->> 'id' = ecg
       and (in_hospital(c.hospital_id) and in_unit(c.unit) or case_came_here(wanted)) limit 1
$$;

revoke execute on function case_decisions(uuid), case_came_here(uuid), case_readings(uuid),
    case_ecg(uuid, text), case_picture(uuid, text) from public;
grant execute on function case_decisions(uuid), case_came_here(uuid), case_readings(uuid),
    case_ecg(uuid, text), case_picture(uuid, text) to app;

-- Of two cases that are one person, what was kept for either is kept for the one that goes on.
create function places_join() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update place_given g set case_id = new.case_id
     where g.case_id = (new.payload ->> 'from')::uuid and g.hospital_id = new.hospital_id;
    return null;
end $$;
create trigger places_join after insert on case_event
    for each row when (new.kind = 'moved_in' and new.payload -> 'items' = '[]'::jsonb)
    execute function places_join();
revoke execute on function places_join() from public;

-- A monitor that belongs to the vehicle of a tablet sends to the case that the tablet has given it.
alter table device add column vehicle text not null default '';

-- Where a department stands: within so many metres of it a crew has arrived. `arrives`: that is
-- recorded by itself; else the crew is asked.
alter table ed_setting add column latitude double precision;
alter table ed_setting add column longitude double precision;
alter table ed_setting add column radius_m double precision;
alter table ed_setting add column arrives boolean not null default false;

-- A place that the site has taken out of use; what was kept there stays kept.
alter table ed_place add column used boolean not null default true;
