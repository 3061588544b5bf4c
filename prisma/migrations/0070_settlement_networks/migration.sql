-- DropIndex
DROP INDEX "settlement_transactions_settler_nonce_key";

-- AlterTable
ALTER TABLE "settlement_transactions" ADD COLUMN "network" TEXT;

-- What the schema cannot say. Until now an installation had one chain, and a transaction is there for a payment's sake.
update "settlement_transactions" set "network" = coalesce(
  (select "data" -> 'terms' ->> 'network' from "events" where "type" = 'PaymentAuthorized' order by "position" limit 1),
  'eip155:84532');

-- AlterTable
ALTER TABLE "settlement_transactions" ALTER COLUMN "network" SET NOT NULL;

-- CreateIndex
CREATE UNIQUE INDEX "settlement_transactions_network_settler_nonce_key" ON "settlement_transactions"("network", "settler", "nonce");
