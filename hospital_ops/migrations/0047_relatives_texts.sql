-- When a relative's text was composed, by a person's confirmation or by the machine: what was
-- corrected or filed anew since then holds it.
alter table relative_message add column composed_at timestamptz;

-- Corrections since a moment, for the sender's last look.
create index correction_at on correction (unit, at);

-- A stop that a person has lifted stays known: the machine's own does not come back the same day.
alter table relative_stop add column lifted_at timestamptz;
