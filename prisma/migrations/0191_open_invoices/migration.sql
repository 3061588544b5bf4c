-- Of the invoices of all time few are open, and those are looked for all the time: by what pays them and by what reminds of them.

-- CreateIndex
CREATE INDEX "invoices_state_tenant_customer_idx" ON "invoices"("state", "tenant", "customer");
