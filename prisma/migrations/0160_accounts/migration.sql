-- Customers who pay later, by which keys they sign, and which wallets are theirs. A revoked key has no row.

-- CreateTable
CREATE TABLE "accounts" (
    "tenant" TEXT NOT NULL,
    "customer" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "network" TEXT NOT NULL,
    "asset" TEXT NOT NULL,
    "decimals" INTEGER NOT NULL,
    "credit_line" DECIMAL(30,0) NOT NULL,
    "period" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "way_to_pay" TEXT NOT NULL,
    "pay_reference" TEXT,
    "suspended" TEXT,
    "revision" INTEGER NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "accounts_pkey" PRIMARY KEY ("tenant","customer")
);

-- CreateTable
CREATE TABLE "account_keys" (
    "tenant" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "customer" TEXT NOT NULL,
    "x" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "added_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "account_keys_pkey" PRIMARY KEY ("tenant","key_id")
);

-- CreateTable
CREATE TABLE "account_wallets" (
    "tenant" TEXT NOT NULL,
    "wallet" TEXT NOT NULL,
    "customer" TEXT NOT NULL,

    CONSTRAINT "account_wallets_pkey" PRIMARY KEY ("tenant","wallet")
);

-- CreateIndex
CREATE INDEX "account_keys_tenant_customer_idx" ON "account_keys"("tenant", "customer");

-- CreateIndex
CREATE INDEX "account_wallets_tenant_customer_idx" ON "account_wallets"("tenant", "customer");

-- What the schema cannot say.

alter table "accounts" add constraint "accounts_credit_line_check" check ("credit_line" >= 0);

-- What an account owes may be below zero: it was paid in advance.
alter table "hold_totals" drop constraint "hold_totals_held_check",
  add constraint "hold_totals_held_check" check ("held" >= 0 or "key" like 'credit/%');

-- Each change of an account, its keys or its wallets changes its row, so one notice is enough.
create trigger accounts_changed after insert or update or delete on accounts
  for each statement execute function notify_customers();
