-- The double-entry ledger. Everything down to "What the schema cannot say" is what prisma/schema.prisma says.

-- CreateTable
CREATE TABLE "ledger_books" (
    "id" INTEGER NOT NULL,
    "tenant" TEXT NOT NULL,
    "asset" TEXT NOT NULL,

    CONSTRAINT "ledger_books_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ledger_accounts" (
    "id" INTEGER NOT NULL,
    "book" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "party" TEXT NOT NULL,
    "debits_posted" DECIMAL(98,0) NOT NULL,
    "credits_posted" DECIMAL(98,0) NOT NULL,
    "debits_pending" DECIMAL(98,0) NOT NULL,
    "credits_pending" DECIMAL(98,0) NOT NULL,

    CONSTRAINT "ledger_accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ledger_transfers" (
    "id" BIGINT NOT NULL,
    "book" INTEGER NOT NULL,
    "debit" INTEGER NOT NULL,
    "credit" INTEGER NOT NULL,
    "amount" DECIMAL(78,0) NOT NULL,
    "phase" TEXT NOT NULL,
    "resolves" BIGINT,
    "code" TEXT NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ledger_transfers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ledger_activity" (
    "account" INTEGER NOT NULL,
    "day" DATE NOT NULL,
    "block" BIGINT NOT NULL,
    "debits_posted" DECIMAL(98,0) NOT NULL,
    "credits_posted" DECIMAL(98,0) NOT NULL,
    "debits_pending" DECIMAL(98,0) NOT NULL,
    "credits_pending" DECIMAL(98,0) NOT NULL,

    CONSTRAINT "ledger_activity_pkey" PRIMARY KEY ("account","day","block")
);

-- CreateIndex
CREATE UNIQUE INDEX "ledger_books_tenant_asset_key" ON "ledger_books"("tenant", "asset");

-- CreateIndex
CREATE UNIQUE INDEX "ledger_accounts_book_kind_party_key" ON "ledger_accounts"("book", "kind", "party");

-- CreateIndex
CREATE UNIQUE INDEX "ledger_transfers_resolves_key" ON "ledger_transfers"("resolves");

-- CreateIndex
CREATE INDEX "ledger_transfers_book_id_idx" ON "ledger_transfers"("book", "id");

-- CreateIndex
CREATE INDEX "ledger_transfers_occurred_at_idx" ON "ledger_transfers" USING BRIN ("occurred_at");

-- What the schema cannot say.

alter table "ledger_transfers"
  add constraint "ledger_transfers_id_check" check ("id" > 0),
  add constraint "ledger_transfers_amount_check" check ("amount" >= 0),
  add constraint "ledger_transfers_sides_check" check ("debit" <> "credit"),
  add constraint "ledger_transfers_phase_check" check ("phase" in ('pending', 'posted', 'post', 'void')),
  add constraint "ledger_transfers_resolves_check" check (("phase" in ('post', 'void')) = ("resolves" is not null));

-- A pending sum below zero would be a hold given back twice.
alter table "ledger_accounts" add constraint "ledger_accounts_sums_check" check (
  "debits_posted" >= 0 and "credits_posted" >= 0 and "debits_pending" >= 0 and "credits_pending" >= 0
);

create function refuse_ledger_change() returns trigger language plpgsql as $$
begin
  raise exception '% only follows what is posted: it is never written by hand', tg_table_name
    using errcode = 'restrict_violation';
end $$;

create trigger ledger_transfers_only_grow before update or delete or truncate on "ledger_transfers"
  for each statement execute function refuse_ledger_change();

-- Sums are moved by transfers only, that is, from within the trigger below.
create trigger ledger_accounts_follow before update or delete or truncate on "ledger_accounts"
  for each statement when (pg_trigger_depth() = 0) execute function refuse_ledger_change();
create trigger ledger_activity_follows before insert or update or delete or truncate on "ledger_activity"
  for each statement when (pg_trigger_depth() = 0) execute function refuse_ledger_change();
create trigger ledger_books_stay before update or delete or truncate on "ledger_books"
  for each statement execute function refuse_ledger_change();

create function ledger_accounts_begin_empty() returns trigger language plpgsql as $$
begin
  if new.debits_posted <> 0 or new.credits_posted <> 0 or new.debits_pending <> 0 or new.credits_pending <> 0 then
    raise exception 'account % does not begin with nothing', new.id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger ledger_accounts_begin before insert on "ledger_accounts"
  for each row execute function ledger_accounts_begin_empty();

-- Checks what one statement added, as a whole, and moves the sums. The tables are those beside the one written to, so a
-- copy of them in another schema works alike: within a function that sets the search path, a local change of it ends
-- with the function. Joins are by key whatever the planner believes of tables that were empty when it first looked.
create function post_ledger_transfers() returns trigger language plpgsql
  set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  wrong bigint;
begin
  perform set_config('search_path', format('pg_catalog, %I', tg_table_schema), true);

  select a.id into wrong
  from added a left join ledger_transfers p on p.id = a.resolves
  where a.resolves is not null
    and (p.phase is distinct from 'pending' or p.id >= a.id or p.book <> a.book or p.debit <> a.debit
      or p.credit <> a.credit or p.amount <> a.amount)
  limit 1;
  if found then
    raise exception 'transfer % resolves no such pending transfer', wrong
      using errcode = 'integrity_constraint_violation';
  end if;

  with sides as (
    select debit as account, book, (occurred_at at time zone 'UTC')::date as day, id >> 20 as block,
      case when phase in ('posted', 'post') then amount else 0 end as debited, 0::numeric as credited,
      case phase when 'pending' then amount when 'posted' then 0 else -amount end as to_debit, 0::numeric as to_credit
    from added
    union all
    select credit, book, (occurred_at at time zone 'UTC')::date, id >> 20,
      0, case when phase in ('posted', 'post') then amount else 0 end,
      0, case phase when 'pending' then amount when 'posted' then 0 else -amount end
    from added
  ), moves as materialized (
    select account, book, day, block, sum(debited) as debited, sum(credited) as credited,
      sum(to_debit) as to_debit, sum(to_credit) as to_credit
    from sides group by account, book, day, block
  ), activity as (
    insert into ledger_activity as l
      select account, day, block, debited, credited, to_debit, to_credit from moves
    on conflict (account, day, block) do update set
      debits_posted = l.debits_posted + excluded.debits_posted,
      credits_posted = l.credits_posted + excluded.credits_posted,
      debits_pending = l.debits_pending + excluded.debits_pending,
      credits_pending = l.credits_pending + excluded.credits_pending
  ), totals as materialized (
    select account, book, sum(debited) as debited, sum(credited) as credited,
      sum(to_debit) as to_debit, sum(to_credit) as to_credit
    from moves group by account, book
  ), moved as (
    update ledger_accounts a set
      debits_posted = a.debits_posted + t.debited, credits_posted = a.credits_posted + t.credited,
      debits_pending = a.debits_pending + t.to_debit, credits_pending = a.credits_pending + t.to_credit
    from totals t where a.id = t.account and a.book = t.book
    returning a.id
  )
  select (select count(*) from totals) - (select count(*) from moved) into wrong;
  if wrong <> 0 then
    raise exception '% accounts are not in the book of their transfer', wrong
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger ledger_transfers_post after insert on "ledger_transfers"
  referencing new table as added for each statement execute function post_ledger_transfers();

-- Few of them are updated by every batch, and no index is on what changes: room on the page keeps updates in place
-- (HOT), and an early vacuum keeps the pages few.
alter table "ledger_accounts" set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
alter table "ledger_activity" set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
