import { type Static, Type } from "@sinclair/typebox";

export const Option = Type.Object({
  id: Type.String(),
  chat_id: Type.String(),
  message_id: Type.String(),
  tool_type: Type.String(),
  model_key: Type.String(),
  label: Type.String(),
  description: Type.String(),
  prompt: Type.String({ description: "the user's words" }),
  enhanced_prompt: Type.String({ description: "what the model gets" }),
  params: Type.Record(Type.String(), Type.Unknown()),
  attachments: Type.Array(Type.String()),
  created_at: Type.String(),
});
export type Option = Static<typeof Option>;

export type OptionRow = Omit<Option, "created_at"> & { user_id: string; position: number; created_at: number };

export const showOption = ({ user_id: _, position: __, ...row }: OptionRow): Option => ({
  ...row,
  created_at: new Date(row.created_at).toISOString(),
});
