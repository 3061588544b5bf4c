import { Module } from '@nestjs/common';
import { limitHandlers } from './limit-handlers.js';

/** Needs the event store and the command bus from a global module. */
@Module({ providers: limitHandlers })
export class LimitsModule {}
