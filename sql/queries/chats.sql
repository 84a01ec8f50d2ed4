-- name: chatById
select c.*, coalesce(s.seq, 0) as cursor
from chats c left join streams s on s.id = c.id
where c.id = $1::uuid and c.user_id = $2::uuid and c.deleted_at is null;

-- name: chatsOfUser
select c.* from chats c
where c.user_id = $1::uuid and c.deleted_at is null
  and ($2::timestamptz is null or (c.created_at, c.id) < ($2::timestamptz, $3::uuid))
order by c.created_at desc, c.id desc limit $4::integer;

-- name: messagesOfChat
select * from messages
where chat_id = $1::uuid
  and ($2::timestamptz is null or (created_at, id) > ($2::timestamptz, $3::uuid))
order by created_at, id limit $4::integer;

-- name: messageById
select m.* from messages m where m.id = $1::uuid and m.chat_id = $2::uuid;

-- name: optionById
select o.* from options o join chats c on c.id = o.chat_id
where o.id = $1::uuid and o.user_id = $2::uuid and c.deleted_at is null;

-- name: optionsOfChat
select o.* from options o
where o.chat_id = $1::uuid and ($2::uuid is null or o.message_id = $2::uuid)
  and ($3::timestamptz is null or (o.created_at, o.id) > ($3::timestamptz, $4::uuid))
order by o.created_at, o.id limit $5::integer;
