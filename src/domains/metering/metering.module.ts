import { Module } from '@nestjs/common';
import { meterHandlers } from './meter.handlers.js';

/** Needs the event store and the command bus from a global module. */
@Module({ providers: meterHandlers })
export class MeteringModule {}
