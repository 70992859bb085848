-- Relatives: word of the admission where it was consented to, and a printed way out.

alter table contact add column tells_admission boolean not null default false;
alter table contact add column stop_hash bytea;  -- of the address on the leaflet; one is good
create unique index contact_stop on contact (stop_hash) where stop_hash is not null;
create index relative_inbox_waits on relative_inbox (unit, received_at) where done_at is null;
