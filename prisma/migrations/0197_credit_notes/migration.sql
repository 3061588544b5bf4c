-- A row for each credit note. The projection fills it.

-- CreateTable
CREATE TABLE "credit_notes" (
    "id" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "customer" TEXT NOT NULL,
    "invoice" TEXT NOT NULL,
    "note" INTEGER NOT NULL,
    "currency" TEXT NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,
    "total" DECIMAL(78,0) NOT NULL,
    "returned" DECIMAL(78,0) NOT NULL,
    "position" BIGINT NOT NULL,

    CONSTRAINT "credit_notes_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "credit_notes_tenant_number_key" ON "credit_notes"("tenant", "number");

-- CreateIndex
CREATE UNIQUE INDEX "credit_notes_invoice_note_key" ON "credit_notes"("invoice", "note");

-- CreateIndex
CREATE INDEX "credit_notes_position_idx" ON "credit_notes"("position" DESC);
