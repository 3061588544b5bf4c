-- Lines of bank statements, and of which invoice each is. The keys decide what was imported before, and who matches a line.

-- CreateTable
CREATE TABLE "bank_lines" (
    "id" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "date" DATE NOT NULL,
    "amount" DECIMAL(30,0) NOT NULL,
    "currency" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "ignored" BOOLEAN NOT NULL,
    "imported_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "bank_lines_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "bank_line_matches" (
    "line" TEXT NOT NULL,
    "round" INTEGER NOT NULL,
    "invoice" TEXT NOT NULL,
    "reference" TEXT NOT NULL,
    "undone" BOOLEAN NOT NULL,

    CONSTRAINT "bank_line_matches_pkey" PRIMARY KEY ("line","round")
);

-- CreateIndex
CREATE INDEX "bank_lines_tenant_date_id_idx" ON "bank_lines"("tenant", "date" DESC, "id");

-- CreateIndex
CREATE INDEX "bank_line_matches_invoice_idx" ON "bank_line_matches"("invoice");
