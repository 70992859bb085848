-- Where whoever lies in a bed has lain since the stay began, in whichever unit of the house: whoever
-- may see the bed may see the whole stay. The history of those beds is told as it was told to them;
-- `web/whereabouts/spans.py` says from when to when the patient lay there.
create index on binding (patient_id);

create function stay_whereabouts(at_bed text)
    returns table (patient_id uuid, mode text, lain jsonb, numbers jsonb, cases jsonb)
    language sql stable security definer set search_path = public, pg_temp as $$
    with recursive stays as (
        (select s.stay, s.hospital_id, s.patient_id, s.mode, s.admitted_at from stay s
          where s.bed = at_bed and s.ended_at is null and in_hospital(s.hospital_id)
            and in_unit(s.unit)
          order by s.moved_at desc limit 1)
        union all
        -- Through other units of the house, and over a discharge that was taken back (A13).
        select p.stay, p.hospital_id, p.patient_id, p.mode, p.admitted_at
          from stays c join stay p on p.hospital_id = c.hospital_id
           and p.patient_id = c.patient_id and p.admitted_at < c.admitted_at
           and p.ended_at <= c.admitted_at
         where p.end_reason = 'transfer' and p.ended_at = c.admitted_at
            or p.end_reason = 'discharge'
               and exists (select from patient_event e where e.hospital_id = c.hospital_id
                              and e.patient_id = c.patient_id and e.event_at = c.admitted_at
                              and e.trigger = 'A13')
               and not exists (select from stay n where n.hospital_id = p.hospital_id
                                  and n.patient_id = p.patient_id and n.ended_at > p.ended_at
                                  and n.ended_at <= c.admitted_at)),
    one as (
        select s.hospital_id, s.patient_id, (array_agg(s.mode order by s.admitted_at desc))[1] as mode,
               min(s.admitted_at) - interval '1 minute' as begun
          from stays s group by s.hospital_id, s.patient_id)
    select o.patient_id, o.mode,
           (select coalesce(jsonb_agg(jsonb_build_object(
                       'unit', b.unit, 'bed', b.bed, 'patient_id', b.patient_id, 'mrn', b.mrn,
                       'from_at', (extract(epoch from b.from_at) * 1000000)::bigint)
                       order by b.from_at, b.entry_id), '[]')
              from binding b
             where b.hospital_id = o.hospital_id and b.from_at >= o.begun
               and b.bed in (select p.bed from binding p where p.patient_id = o.patient_id
                                and p.hospital_id = o.hospital_id and p.from_at >= o.begun)),
           (select coalesce(jsonb_agg(distinct n.mrn), '[]')
              from (select p.mrn from binding p where p.patient_id = o.patient_id
                       and p.hospital_id = o.hospital_id
                    union
                    select l.into_mrn from binding p join patient_link l on l.mrn = p.mrn
                       and l.hospital_id = p.hospital_id and l.kind = 'merged'
                     where p.patient_id = o.patient_id and p.hospital_id = o.hospital_id) n),
           (select coalesce(jsonb_agg(distinct jsonb_build_array(e.case_id, c.unit)), '[]')
              from patient_event e join case_event c on c.case_id = e.case_id
               and c.hospital_id = e.hospital_id
             where e.hospital_id = o.hospital_id and e.patient_id = o.patient_id
               and e.case_id is not null and e.event_at >= o.begun)
      from one o
$$;
revoke execute on function stay_whereabouts(text) from public;
grant execute on function stay_whereabouts(text) to app;
