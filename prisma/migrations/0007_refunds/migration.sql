-- AlterTable
ALTER TABLE "payments" ADD COLUMN     "refunded" DECIMAL(78,0) NOT NULL DEFAULT 0;

-- What the schema cannot say.

-- Nobody gets back more than was paid.
alter table "payments" add constraint "payments_refunded_check" check ("refunded" between 0 and "amount");
