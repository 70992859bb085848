-- The values of a case for its hand-over sheet: what was withdrawn or moved away does not count, what
-- was moved here or came with a joined case does. Values of another mode are left out on request.

drop function case_readings(uuid);
create function case_readings(wanted uuid, only_mode text default null)
    returns table (code text, value double precision, physical_unit text,
                   determined_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $$
    with recursive linked (case_id, whole) as (  -- the case, and whatever it got something from
        select wanted, true
        union
        select (e.payload ->> 'from')::uuid, l.whole and e.payload -> 'items' = '[]'::jsonb
          from linked l join case_event e on e.case_id = l.case_id and e.kind = 'moved_in'
         where (e.payload ->> 'from')::uuid <> wanted
    ), told as (
        select (e.payload ->> 'of')::uuid as id, true as away, e.at, e.entry_id
          from case_event e
         where e.kind = 'withdrawal' and e.case_id in (select l.case_id from linked l)
        union all
        select item::uuid, e.kind = 'moved_out', e.at, e.entry_id
          from case_event e, jsonb_array_elements_text(e.payload -> 'items') as item
         where e.kind in ('moved_out', 'moved_in')
           and e.case_id in (select l.case_id from linked l where l.whole)
    ), last as (  -- of each value the last word; a move within the same person leaves it here
        select distinct on (t.id) t.id, t.away
          from told t order by t.id, t.at desc, t.entry_id desc, t.away
    )
    select m.code, m.value, m.physical_unit, m.determined_at
      from measurement m left join last on last.id = m.event_id
     where m.place in (select l.case_id::text from linked l)
       and m.validity <> 'Inv' and m.value is not null
       and case when last.id is null
                then m.place in (select l.case_id::text from linked l where l.whole)
                else not last.away end
       and (only_mode is null or m.mode = only_mode)
       and (in_hospital(m.hospital_id) and in_unit(m.unit) or case_came_here(wanted))
$$;
revoke execute on function case_readings(uuid, text) from public;
grant execute on function case_readings(uuid, text) to app;
