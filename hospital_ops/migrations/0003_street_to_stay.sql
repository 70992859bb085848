-- The pre-hospital record becomes part of the stay: an admission may name the case it came from.
alter table patient_event add column case_id uuid;
create index patient_event_mrn on patient_event (mrn);
create index patient_event_family on patient_event (lower(family) text_pattern_ops);
