-- Limits of treatment end or change as they were set: with a reason and by two persons; what was
-- ended in error is in force again by one act.
alter table care_agreement
    add column end_confirmed_by text,                    -- the second person of the end
    add column replaces uuid references care_agreement,  -- once confirmed, that one ends
    add column reinstated_by text,                       -- its end was an error
    add column reinstated_at timestamptz,
    add column reinstate_reason text not null default '',
    add check (end_confirmed_by <> end_asked_by);

-- A change is proposed while the agreement that it replaces is in force.
drop index care_agreement_one;
create unique index care_agreement_in_force on care_agreement (stay, kind)
    where state = 'in_force';
create unique index care_agreement_proposed on care_agreement (stay, kind)
    where state = 'proposed';
