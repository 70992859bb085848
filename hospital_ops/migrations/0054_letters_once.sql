-- What could not be used and comes again with the same bytes is one letter: how often it came, and
-- when last. A store reader of the version before leaves all three empty.
alter table dead_letter
    add column identity bytea,
    add column times integer default 1,
    add column last_at timestamptz;

create unique index dead_letter_once on dead_letter (unit, code, identity)
    where identity is not null;

grant update (times, last_at) on dead_letter to writer;
