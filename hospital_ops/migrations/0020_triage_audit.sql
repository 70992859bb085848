-- Triage that audits itself: the later course of a case, what a site set for a measure without a
-- source; which edition of the rules an assessment was made with.

alter table assessment add column rules text not null default '';

create index patient_event_case on patient_event (case_id) where case_id is not null;
create index stay_patient on stay (hospital_id, patient_id, admitted_at);

-- What became of the patient of a case: of a stay in another unit only when it began and how it
-- ended. Whoever may see the case may see this; all numbers of one person are one.
create function case_course(wanted uuid, since timestamptz,
                            out linked boolean, out icu_at timestamptz, out died_at timestamptz)
    language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
    house text;
begin
    select e.hospital_id into house from case_event e
     where e.case_id = wanted and in_hospital(e.hospital_id) and in_unit(e.unit) limit 1;
    if house is null then
        linked := false;
        return;
    end if;
    with recursive person (patient_id) as (
        select p.patient_id from patient_event p
         where p.case_id = wanted and p.hospital_id = house
        union
        select case when l.patient_id = one.patient_id then l.into_id else l.patient_id end
          from patient_link l join person one on one.patient_id in (l.patient_id, l.into_id)
         where l.kind = 'merged' and l.hospital_id = house
    ), stays as (
        select s.admitted_at, s.ended_at, s.end_reason, u.kind
          from stay s join unit u on u.unit = s.unit
         where s.hospital_id = house and s.patient_id in (select one.patient_id from person one)
           and s.end_reason <> 'cancelled' and coalesce(s.ended_at, 'infinity') >= since
    )
    select exists (select from person),
           (select min(greatest(s.admitted_at, since)) from stays s where s.kind = 'icu'),
           (select min(s.ended_at) from stays s where s.end_reason = 'death')
      into linked, icu_at, died_at;
end $$;
revoke execute on function case_course(uuid, timestamptz) from public;
grant execute on function case_course(uuid, timestamptz) to app;

create table audit_measure (
    hospital_id text not null references hospital,
    measure text not null,
    version int not null check (version > 0),
    switched_on boolean not null,
    within_h int not null check (within_h between 1 and 168),
    changed_by text not null,
    changed_at timestamptz not null,
    primary key (hospital_id, measure, version)
);
alter table audit_measure enable row level security;
alter table audit_measure force row level security;
create policy owner_all on audit_measure to owner using (true) with check (true);
create policy app_scope on audit_measure to app
    using (in_hospital(hospital_id)) with check (in_hospital(hospital_id));
grant select, insert on audit_measure to app;
