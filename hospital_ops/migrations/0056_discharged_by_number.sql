-- The bed of whoever a discharge (A03, A11) is about, where it named none or another one: of the stay
-- that it has ended, or of one that goes on under another number of the same person.
create function stay_of_who_left(hospital text, patient uuid, told_unit text, told_bed text,
                                 left_at timestamptz)
    returns table (left_unit text, left_bed text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select s.unit, s.bed from stay s
     where s.hospital_id = hospital and s.bed <> '' and (s.unit, s.bed) <> (told_unit, told_bed)
       and s.patient_id in (select one_person(patient))
       and (s.ended_at = left_at and s.end_reason in ('discharge', 'cancelled')
            or s.ended_at is null and s.moved_at <= left_at and s.patient_id <> patient)
       and not exists (  -- the bed that it named was the patient's: it is about no other one
           select from stay n
            where n.hospital_id = hospital and n.patient_id in (select one_person(patient))
              and n.unit = told_unit and n.bed = told_bed and n.ended_at = left_at)
     order by s.ended_at nulls last
     limit 1
$$;
revoke execute on function stay_of_who_left(text, uuid, text, text, timestamptz) from public;
grant execute on function stay_of_who_left(text, uuid, text, text, timestamptz) to writer;
