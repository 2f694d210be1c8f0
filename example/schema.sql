-- Row-level security by the claims of an access token, in an application's own PostgreSQL.

create role app_request nologin;

-- what the token says, set for each transaction; nothing where it was forgotten
create function app_claims() returns jsonb language sql stable
  as $$ select nullif(current_setting('app.claims', true), '')::jsonb $$;
create function app_organisation() returns uuid language sql stable
  as $$ select (app_claims() ->> 'org')::uuid $$;
create function app_may(permission text) returns boolean language sql stable
  as $$ select coalesce(app_claims() -> 'permissions' @> to_jsonb(permission), false) $$;

create table invoice (
  id int generated always as identity primary key,
  organisation_id uuid not null default app_organisation(),
  created_by uuid not null default (app_claims() ->> 'sub')::uuid,
  text text not null
);
alter table invoice enable row level security;
alter table invoice force row level security;

create policy invoice_read on invoice for select to app_request
  using (organisation_id = app_organisation());
create policy invoice_create on invoice for insert to app_request
  with check (organisation_id = app_organisation() and app_may('invoice.create'));
create policy invoice_delete on invoice for delete to app_request
  using (organisation_id = app_organisation() and app_may('invoice.delete'));

grant select, delete, insert (text) on invoice to app_request;
